// Makes the console's page: checks its types, bundles and compresses it, and writes it down as C++
// source, for the program to serve.
//
//   node build.mjs --modules FOLDER --out FILE.cc
//
// FOLDER is node_modules/, as `npm ci` made it of package-lock.json.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const { values } = parseArgs({ options: { modules: { type: 'string' }, out: { type: 'string' } } })
const here = dirname(fileURLToPath(import.meta.url))
const modules = resolve(values.modules)
const require = createRequire(join(modules, 'none.js'))
const esbuild = require('esbuild')

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

// Their licence wants to go with every copy.
const licence = name => `/*! ${name}\n\n${readFileSync(join(modules, name, 'LICENSE'), 'utf8').trim()} */`

// One bundle; its name ends with a hash of what is in it.
function bundle(entry, define = {}, banner = {}) {
  const { outputFiles } = esbuild.buildSync({
    entryPoints: [join(here, 'src', entry)],
    outdir: '/',
    entryNames: '[name]-[hash]',
    bundle: true,
    minify: true,
    charset: 'utf8',
    target: 'es2022',
    format: 'esm',
    legalComments: 'none',
    write: false,
    nodePaths: [modules],
    define,
    banner,
    logLevel: 'error',
  })
  return { path: outputFiles[0].path.slice(1), bytes: Buffer.from(outputFiles[0].contents) }
}

function makeFiles() {
  const worklet = bundle('capture_worklet.ts')
  // What draws is fetched when there is something to draw: nobody waits for it to sign in.
  const charts = bundle('charts.ts', {}, { js: licence('uplot') })
  const script = bundle('main.ts', { WORKLET: JSON.stringify(worklet.path), CHARTS_SCRIPT: JSON.stringify(charts.path) })
  const style = bundle('style.css', {}, { css: licence('uplot') })
  const icon = readFileSync(join(here, 'src/icon.svg'))
  const iconPath = `icon-${createHash('sha256').update(icon).digest('hex').slice(0, 8)}.svg`
  const page = readFileSync(join(here, 'src/index.html'), 'utf8')
    .replace('SCRIPT', script.path)
    .replace('STYLE', style.path)
    .replace('ICON', iconPath)
  return [{ path: '', bytes: Buffer.from(page) }, script, worklet, charts, style,
    { path: iconPath, bytes: icon }]
}

// A raw string cannot hold any bytes; a list of numbers compiles fast enough at this size.
function array(name, bytes) {
  return `const unsigned char ${name}[] = {${Array.from(bytes).join(',')}};\n`
}

function source(files) {
  let arrays = ''
  let rows = ''
  files.forEach(({ path, bytes }, i) => {
    const brotli = brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    })
    arrays += array(`kPlain${i}`, bytes) + array(`kGzip${i}`, gzipSync(bytes, { level: 9 })) +
      array(`kBrotli${i}`, brotli)
    const etag = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
    rows += `    {"${path}", "${TYPES[extname(path || '.html') || '.html']}", "\\"${etag}\\"", ` +
      `${path !== ''}, Text(kPlain${i}), Text(kGzip${i}), Text(kBrotli${i})},\n`
  })
  return `// Made by console/build.mjs.
#include "server/internal/console_assets.h"

namespace lethe::server_internal {
namespace {
${arrays}
template <std::size_t size>
std::string_view Text(const unsigned char (&bytes)[size]) {
  return {reinterpret_cast<const char*>(bytes), size};
}
}  // namespace

std::span<const ConsoleAsset> ConsoleAssets() {
  static const ConsoleAsset assets[] = {
${rows}  };
  return assets;
}
}  // namespace lethe::server_internal
`
}

// The packages are not beside the sources, so the compiler is told where their types are.
function checkTypes() {
  const config = join(mkdtempSync(join(dirname(modules), 'types-')), 'tsconfig.json')
  try {
    writeFileSync(config, JSON.stringify({
      extends: join(here, 'tsconfig.json'),
      compilerOptions: { paths: { uplot: [join(modules, 'uplot/dist/uPlot.d.ts')] } },
      include: [join(here, 'src')],
    }))
    execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', config],
      { stdio: 'inherit' })
  } finally {
    rmSync(dirname(config), { recursive: true })
  }
}

checkTypes()
writeFileSync(values.out, source(makeFiles()))
