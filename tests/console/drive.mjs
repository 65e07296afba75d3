// Drives the console as a user would: drive.mjs SCENARIO [FILE]; what it saw, and what the pages did
// that they should not ("complaints"), goes to standard output as JSON, for tests/program/console_*test.py to judge.

import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { URL_OF_CONSOLE, alertOf, complaints, launch, open, openSignedIn, seriousFindings, sideways, signIn, textOf, watch } from './browser.mjs'
import { tasks } from './tasks.mjs'

const [scenario, ...files] = process.argv.slice(2)
const ORIGIN = new URL(URL_OF_CONSOLE).origin

const heard = page => textOf(page.locator('.lines'))
const tokenOf = page => page.evaluate(() => sessionStorage.getItem('lethe-console-token'))

async function download(page, name) {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()])
  return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') }
}

const SCENARIOS = {
  tasks,

  async sign_in(browser) {
    const page = await open(browser)
    const sizes = []
    const measure = response => sizes.push(response.request().sizes())
    page.on('response', measure)
    const first = await page.goto(ORIGIN)
    await page.getByLabel('Console password').waitFor()
    await page.waitForLoadState('networkidle')
    // No longer, or the last is asked for when the page is gone.
    page.off('response', measure)
    const bytes = (await Promise.all(sizes))
      .reduce((sum, { responseBodySize, responseHeadersSize }) => sum + responseBodySize + responseHeadersSize, 0)
    const seen = { address: page.url(), bytes, headers: first.headers() }
    await signIn(page, 'not the password')
    seen.wrong = await textOf(alertOf(page))
    await signIn(page)
    await page.getByRole('navigation').waitFor()
    seen.menu = (await page.getByRole('navigation').getByRole('link').allInnerTexts())
    const [cookie] = await page.context().cookies()
    seen.cookie = { httpOnly: cookie.httpOnly, sameSite: cookie.sameSite, path: cookie.path, secure: cookie.secure }
    seen.application = await page.getByLabel('Application').innerText()
    seen.token = await tokenOf(page)
    // Now the name is on the page; an image in it would be fetched, and its handler would change the title.
    await page.waitForLoadState('networkidle')
    seen.images = await page.locator('img').count()
    seen.title = await page.title()
    await page.reload()
    await page.getByRole('navigation').waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Console password').waitFor()
    seen.cookies_left = (await page.context().cookies()).length
    seen.token_left = await tokenOf(page)
    return seen
  },

  // From a page of another origin, in a browser that is signed in.
  async other_origin(browser, other) {
    const page = await openSignedIn(browser)
    const strangers = await page.context().cookies(other)
    const stranger = await page.context().newPage()
    await stranger.goto(other)
    const seen = await stranger.evaluate(async ({ origin, app }) => {
      const attempt = (path, options) => fetch(origin + path, { credentials: 'include', ...options })
        .then(async answer => answer.type === 'opaque' ? 'opaque' : answer.status, () => 'refused')
      const answered = new Promise(resolve => {
        const socket = new WebSocket(origin.replace('http', 'ws') + `/asr/v2/${app}?engine_model_type=16k_en&voice_id=v&nonce=1&voice_format=1`)
        socket.onmessage = ({ data }) => resolve(JSON.parse(data).code)
        socket.onclose = socket.onerror = () => resolve('closed')
      })
      return {
        read: await attempt('/lethe/v1/applications', {}),
        with_header: await attempt('/lethe/v1/applications', { headers: { 'X-Lethe-Console': '1' } }),
        erase: await attempt('/lethe/v1/erase', { method: 'POST', mode: 'no-cors', body: JSON.stringify({ app_id: app }) }),
        socket: await answered,
      }
    }, { origin: ORIGIN, app: Number(process.env.LETHE_APP_ID) })
    // Every server on this host is sent the cookie; what it cannot do with it, the test tries.
    seen.cookie = strangers.map(({ name, value }) => `${name}=${value}`).join('; ')
    seen.origin = ORIGIN
    return seen
  },

  // From a page of an origin that may call the interfaces, in a browser that is signed in.
  async named_origin(browser, other) {
    const page = await (await openSignedIn(browser)).context().newPage()
    await page.goto(other)
    return page.evaluate(async ({ origin, key }) => {
      const attempt = (path, options) => fetch(origin + path, options).then(async answer => answer.status, () => 'refused')
      const authorization = { Authorization: `Bearer ${key}` }
      const form = new FormData()
      form.append('model', 'whisper-1')
      return {
        models: await attempt('/v1/models', { headers: authorization }),
        wrong: await attempt('/v1/audio/transcriptions', { method: 'POST', headers: authorization, body: form }),
        session: await attempt('/v1/models', { headers: { 'X-Lethe-Console': '1' } }),
        cookie: await attempt('/v1/models', { credentials: 'include' }),
        own: await attempt('/lethe/v1/applications', { headers: authorization }),
      }
    }, { origin: ORIGIN, key: process.env.LETHE_KEY })
  },

  async speak(browser) {
    const page = await openSignedIn(browser)
    await page.getByRole('button', { name: 'Record' }).click()
    await page.locator('.partial').filter({ hasText: /\w/ }).waitFor()
    const seen = { partial: await textOf(page.locator('.partial')) }
    seen.level = await page.locator('.level div').evaluate(bar => bar.style.transform)
    await page.locator('.lines li').first().waitFor()
    seen.delay = await page.locator('.facts dd').nth(1).innerText()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByText('Done.').waitFor()
    seen.text = await textOf(page.locator('.lines'))
    seen.marked = await page.locator('.lines .unsure, .lines .doubtful').count()
    await page.getByRole('button', { name: 'Copy' }).click()
    seen.copied = await page.evaluate(() => navigator.clipboard.readText())
    for (const [format, name] of [['srt', 'SubRip'], ['vtt', 'WebVTT'], ['txt', 'Text'], ['json', 'With times']]) {
      seen[format] = await download(page, name)
    }
    await page.getByRole('button', { name: 'Forget these calls' }).click()
    await page.locator('.check-true').nth(2).waitFor()
    seen.forgotten = await textOf(page.locator('.receipt').first())
    seen.checks = await page.locator('.checks li').evaluateAll(items => items.map(item => item.className))
    return seen
  },

  async refused_microphone(browser) {
    const page = await open(browser, {}, [])
    await page.goto(URL_OF_CONSOLE)
    await signIn(page)
    await page.getByRole('button', { name: 'Record' }).click()
    return { said: await textOf(alertOf(page)), button: await page.getByRole('button', { name: 'Record' }).isEnabled() }
  },

  // The session is ended by another window; what was said stays.
  async session_ends(browser) {
    const page = await openSignedIn(browser)
    await page.getByRole('button', { name: 'Record' }).click()
    await page.locator('.lines li').first().waitFor()
    const before = await heard(page)
    const ended = await page.context().request.delete(URL_OF_CONSOLE + 'session',
      { headers: { 'X-Lethe-Console': await tokenOf(page), Origin: ORIGIN } })
    await page.getByRole('dialog').waitFor()
    const seen = { before, ended: ended.status(), dialog: await textOf(page.getByRole('heading', { name: 'Your session has ended' })) }
    seen.note = await page.locator('section > .status').first().innerText()
    await signIn(page)
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    seen.text = await heard(page)
    await page.getByRole('link', { name: 'Held' }).click()
    await page.getByText(/held\.$/).first().waitFor()
    return seen
  },

  // The test stops the service when it reads "speaking", and starts it again when it reads "lost".
  async restart(browser) {
    const page = await openSignedIn(browser)
    await page.getByRole('button', { name: 'Record' }).click()
    await page.locator('.lines li').first().waitFor()
    const before = await heard(page)
    process.stderr.write('speaking\n')
    await alertOf(page).filter({ hasText: 'lost' }).waitFor()
    const seen = { before, lost: await textOf(alertOf(page)), text: await heard(page) }
    process.stderr.write('lost\n')
    await page.getByRole('dialog').waitFor()
    seen.ended = await textOf(alertOf(page))
    seen.kept = await heard(page)
    return seen
  },

  async drop(browser, recording, folder) {
    const page = await openSignedIn(browser, '#/drop')
    const huge = join(folder, 'huge.mp4')
    writeFileSync(huge, 'x')
    truncateSync(huge, 2 * 1024 ** 3)
    await page.locator('input[type=file]').setInputFiles(huge)
    const seen = { refused: await textOf(alertOf(page)), sent: await page.locator('.recording').count() }
    await page.locator('input[type=file]').setInputFiles([])
    // As a file that is dropped comes to the page.
    const bytes = readFileSync(recording).toString('base64')
    const data = await page.evaluateHandle(async base64 => {
      const transfer = new DataTransfer()
      const all = Uint8Array.from(atob(base64), c => c.charCodeAt(0))
      transfer.items.add(new File([all], '<b>talk</b>.wav', { type: 'audio/wav' }))
      return transfer
    }, bytes)
    await page.dispatchEvent('.zone', 'drop', { dataTransfer: data })
    await page.locator('.word').first().waitFor()
    seen.title = await page.locator('.recording h2').innerText()
    seen.text = (await page.locator('.word').allInnerTexts()).join(' ')
    const tenth = page.locator('.word').nth(9)
    await tenth.click()
    await page.waitForFunction(() => document.querySelector('audio').currentTime > 0)
    await page.locator('.word[aria-current]').first().waitFor()
    seen.position = await page.locator('audio').evaluate(audio => { audio.pause(); return audio.currentTime })
    await page.locator('.word').first().focus()
    await page.keyboard.press('ArrowRight')
    seen.focused = await page.evaluate(() => document.activeElement.textContent)
    seen.second = await page.locator('.word').nth(1).innerText()
    seen.drawn = await page.locator('canvas').evaluate(canvas =>
      canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(byte => byte > 0))
    await page.locator('summary').click()
    await page.getByLabel('Text of subtitle 1', { exact: true }).fill('Tea & <biscuits>')
    await page.getByLabel('Start of subtitle 1', { exact: true }).fill('0:00.250')
    await page.getByLabel('End of subtitle 1', { exact: true }).fill('nonsense')
    await page.getByLabel('Text of subtitle 1', { exact: true }).focus()
    seen.invalid = await page.getByLabel('End of subtitle 1', { exact: true }).getAttribute('aria-invalid')
    seen.vtt = await download(page, 'WebVTT')
    seen.srt = await download(page, 'SubRip')
    return seen
  },

  // `files`: a task id.
  async held(browser, task) {
    const page = await openSignedIn(browser, '#/held')
    const row = page.locator('#held-result ~ * tr', { hasText: task })
    await row.waitFor()
    const seen = { countdown: await row.locator('.countdown').innerText() }
    await page.getByLabel('Look for').selectOption('Task id')
    await page.getByLabel('Which').fill('1')
    await page.getByRole('button', { name: 'Show', exact: true }).click()
    await page.getByText('No text and no recording of this task is held.').waitFor()
    await page.getByLabel('Which').fill(task)
    seen.stale = await page.getByRole('button', { name: 'Forget all of it now' }).isDisabled()
    await page.keyboard.press('Enter')
    await row.waitFor()
    seen.found = await textOf(page.locator('section > .status').first())
    seen.columns = await page.locator('section[aria-labelledby=held-result] thead th').allInnerTexts()
    await page.getByRole('button', { name: 'Forget all of it now' }).click()
    seen.asked = await textOf(page.getByRole('dialog').getByRole('heading'))
    await page.getByRole('button', { name: 'Keep it' }).click()
    await row.getByRole('button', { name: 'Forget' }).click()
    await page.getByRole('button', { name: 'Keep it' }).click()
    await row.getByRole('button', { name: 'Forget' }).click()
    await page.getByRole('button', { name: 'Forget now' }).click()
    await page.locator('.receipt .check-true').nth(2).waitFor()
    seen.forgotten = await textOf(page.locator('.forgotten > p').first())
    seen.focused = await page.evaluate(() => document.activeElement.getAttribute('aria-label'))
    seen.checks = await page.locator('.checks li').evaluateAll(items => items.map(item => item.className))
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save receipt' }).first().click()])
    seen.receipt = JSON.parse(readFileSync(await file.path(), 'utf8'))
    await page.getByText('No text and no recording of this task is held.').waitFor()

    const period = page.locator('.periods li', { hasText: 'operation log' })
    await period.getByRole('spinbutton').fill('2')
    await period.getByRole('combobox').selectOption('days')
    await period.getByRole('button', { name: 'Shorten' }).click()
    await page.getByText('From now on operation log is held 2 d 0 h').waitFor()
    await period.getByRole('spinbutton').fill('3')
    await period.getByRole('combobox').selectOption('days')
    await period.getByRole('button', { name: 'Shorten' }).click()
    seen.longer = await textOf(alertOf(page))

    await page.getByLabel(/^Person/).fill('<i>Ann</i>')
    await page.getByRole('button', { name: 'Withdraw consent' }).click()
    await page.getByRole('button', { name: 'Withdraw and erase' }).click()
    await page.locator('tr', { hasText: 'withdrawn' }).waitFor()
    return seen
  },

  async set_up(browser) {
    const page = await openSignedIn(browser, '#/set-up')
    // Each tab signs in by itself, and the one before goes on.
    const other = await page.context().newPage()
    watch(other)
    await other.goto(URL_OF_CONSOLE + '#/set-up')
    await signIn(other)
    await other.getByRole('navigation').waitFor()
    const application = '<b>Ward</b> 4'
    await page.getByLabel('New application').fill(application)
    await page.getByRole('button', { name: 'Make it' }).click()
    await page.getByText('is made; choose it').waitFor()
    const option = page.getByLabel('Application', { exact: true }).locator('option', { hasText: application })
    await page.getByLabel('Application', { exact: true }).selectOption({ label: await option.innerText() })
    await page.locator('#keys-title', { hasText: application }).waitFor()
    await page.getByRole('button', { name: 'Make key' }).click()
    const seen = { key: await page.locator('.secret code').innerText() }
    await page.getByLabel('New key').selectOption('pair')
    await page.getByRole('button', { name: 'Make key' }).click()
    await page.locator('.secret dt', { hasText: 'SecretKey' }).waitFor()
    seen.pair = await page.locator('.secret code').allInnerTexts()
    await page.getByRole('button', { name: 'I have it' }).click()
    seen.left = await page.locator('.secret').count()
    // In another tab the key is removed; here it is still shown.
    await other.reload()
    await other.locator('#keys-title', { hasText: application }).waitFor()
    const name = new RegExp(`the key that ends with ${seen.key.slice(-4)}$`)
    await other.getByRole('button', { name }).filter({ hasText: 'Remove' }).click()
    await other.getByRole('button', { name: 'Remove it' }).click()
    await other.getByText('is removed.').waitFor()
    await page.getByRole('button', { name }).filter({ hasText: 'Disable' }).click()
    seen.gone = await textOf(alertOf(page))
    seen.rows = await page.locator('section[aria-labelledby=keys-title] tbody tr').count()
    await page.locator('summary', { hasText: 'curl' }).click()
    seen.curl = await page.locator('pre').first().innerText()
    return seen
  },

  async limits_and_vocabularies(browser) {
    const page = await openSignedIn(browser)
    const card = id => page.locator(`section[aria-labelledby=${id}-title]`)
    const limits = card('limits'), words = card('vocabularies')
    // An answer that is long under way would write over what is set meanwhile.
    let answer
    const held = new Promise(resolve => { answer = resolve })
    await page.route('**/lethe/v1/applications', async route => { await held; await route.continue() })
    await page.getByRole('link', { name: 'Set up' }).click()
    await limits.waitFor()
    const early = await limits.getByLabel('Calls a second').isEnabled()
    answer()
    await limits.getByLabel('Interface').selectOption('openai')
    await limits.getByLabel('Calls a second').fill('7')
    await limits.getByRole('button', { name: 'Set', exact: true }).click()
    await limits.getByText('The limits of OpenAI transcriptions are set.').waitFor()
    const seen = { early, limits: await textOf(limits.locator('tbody')) }
    await limits.getByLabel('A month may cost').fill('much')
    await limits.getByRole('button', { name: 'Set limit' }).click()
    seen.wrong = await textOf(limits.getByRole('alert').locator('p'))
    await limits.getByLabel('A month may cost').fill('12.5')
    await limits.getByRole('button', { name: 'Set limit' }).click()
    await limits.getByText('may cost 12.5').waitFor()

    const name = '<u>Names</u>'
    await words.getByRole('button', { name: 'New vocabulary' }).click()
    await words.getByLabel('Name').fill(name)
    await words.getByLabel('Words', { exact: true }).fill('Dashwood|12')
    await words.getByRole('button', { name: 'Save' }).click()
    seen.weight = await textOf(words.getByRole('alert').locator('p'))
    await words.getByLabel('Words', { exact: true }).fill('Dashwood|8\n\nNorland Park')
    await words.getByRole('button', { name: 'Save' }).click()
    await words.getByText('is saved: 2 words').waitFor()
    await words.getByRole('button', { name: `Use always: ${name}` }).click()
    await words.getByText('if a call names none').waitFor()
    // Somebody else changes it while it is being edited here.
    const id = await words.locator('tbody code').innerText()
    await words.getByRole('button', { name: `Edit: ${name}` }).click()
    await words.getByLabel('Words', { exact: true }).fill('Elinor|10')
    const change = body => page.evaluate(async ({ app, body }) => (await fetch('/lethe/v1/vocabularies', { method: 'POST',
      headers: { 'X-Lethe-Console': sessionStorage.getItem('lethe-console-token') }, body: JSON.stringify({ app_id: app, ...body }) })).status,
    { app: Number(process.env.LETHE_APP_ID), body })
    seen.changed = await change({ vocab_id: id, words: [{ word: 'Marianne', weight: 3 }] })
    await words.getByRole('button', { name: 'Save' }).click()
    seen.meanwhile = await textOf(words.getByRole('alert').locator('p'))
    await words.getByRole('button', { name: 'Save mine over it' }).click()
    await words.getByText('is saved: 1 words').waitFor()
    await words.getByRole('cell', { name: '1', exact: true }).waitFor() // the list is asked for behind it
    seen.row = await textOf(words.locator('tbody'))
    await words.getByRole('button', { name: `Edit: ${name}` }).click()
    await words.getByRole('button', { name: 'Save' }).waitFor()
    seen.words = await words.getByLabel('Words', { exact: true }).inputValue()
    await words.getByRole('button', { name: 'Put away' }).click()
    seen.findings = await seriousFindings(page)
    await words.getByRole('button', { name: `Remove: ${name}` }).click()
    await page.getByRole('button', { name: 'Remove it' }).click()
    await words.getByText('is removed.').waitFor()

    await page.getByRole('link', { name: 'Held' }).click()
    await page.locator('summary', { hasText: 'Give a consent' }).click()
    await page.getByLabel(/^Who consents/).fill('user-17')
    await page.getByLabel('Age at least').fill('9')
    await page.getByLabel('Country').fill('de')
    await page.getByRole('button', { name: 'Register consent' }).click()
    seen.young = await textOf(alertOf(page))
    await page.getByLabel('Whose word it is').selectOption('parent')
    await page.getByRole('button', { name: 'Register consent' }).click()
    await page.getByText('The consent is registered').waitFor()
    seen.consent = await textOf(page.locator('section[aria-labelledby=consent-title] tbody'))
    return seen
  },

  // A receipt that was changed on its way must not verify.
  async spoilt_receipt(browser, task) {
    const page = await openSignedIn(browser, '#/held')
    await page.route('**/lethe/v1/erase', async route => {
      const answer = await (await route.fetch()).json()
      answer.receipts[0].number += 1
      answer.receipts[1].says.cause = 'expired'
      await route.fulfill({ json: answer })
    })
    const row = page.locator('#held-result ~ * tr', { hasText: task })
    await row.getByRole('button', { name: 'Forget' }).click()
    await page.getByRole('button', { name: 'Forget now' }).click()
    await page.locator('.receipt:nth-child(1) .check-false').waitFor()
    await page.locator('.receipt:nth-child(2) .check-false').waitFor()
    return { checks: await page.locator('.checks li').evaluateAll(items => items.map(item => item.className)) }
  },

  // `before`: how many calls were made.
  async watch(browser, before) {
    const page = await openSignedIn(browser, '#/speak')
    const drawing = () => page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => /charts-\w+\.js$/.test(name)).length)
    const seen = { early: await drawing() }
    await page.getByRole('link', { name: 'Watch' }).click()
    await page.locator('#chart-card-calls .figure', { hasText: `; ${before} calls in the last` }).waitFor()
    await page.locator('#chart-card-memory canvas').waitFor()
    seen.late = await drawing()
    seen.health = await textOf(page.locator('section[aria-labelledby=health-title]'))
    seen.updated = await textOf(page.locator('.updated'))
    seen.words = {}
    seen.drawn = {}
    for (const card of await page.locator('.chart-card').all()) {
      const title = await card.getByRole('heading').innerText()
      seen.words[title] = await textOf(card.locator('.figure'))
      seen.drawn[title] = await card.locator('canvas').evaluate(canvas =>
        canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(byte => byte > 0))
    }
    const latency = page.locator('#chart-card-latency')
    await latency.locator('summary').focus()
    await page.keyboard.press('Enter')
    await latency.locator('tbody tr').first().waitFor()
    seen.columns = await latency.locator('thead th').allInnerTexts()
    seen.rows = await latency.locator('tbody tr').evaluateAll(rows => rows.map(row => [...row.cells].map(cell => cell.innerText)))
    await page.locator('#chart-card-calls .u-over').hover()
    await page.locator('#chart-card-calls .point', { hasText: 'ended' }).waitFor()
    await page.locator('.total').waitFor()
    seen.usage = await textOf(page.locator('section[aria-labelledby=usage-title]'))
    seen.total = await page.locator('.total').innerText()
    seen.level = await textOf(page.locator('section[aria-labelledby=level-title]'))
    await page.getByLabel('Month', { exact: true }).selectOption({ index: 1 })
    await page.getByText('Nothing was used.').waitFor()
    seen.months = await page.getByLabel('Month', { exact: true }).locator('option').allInnerTexts()
    return seen
  },

  // The test ends the service when it reads "verified", and when it reads "stale" puts one with the same keys
  // and an older ledger at its place.
  async ledger(browser) {
    const page = await openSignedIn(browser, '#/watch')
    const card = page.locator('section[aria-labelledby=ledger-title]')
    const verify = async () => {
      await card.getByRole('button', { name: 'Verify it' }).click()
      await card.locator('.status').filter({ hasNotText: 'Verifying' }).filter({ hasText: /\w/ }).waitFor()
      return { said: await textOf(card.locator('.status')), alert: await textOf(card.getByRole('alert').last()),
        checks: await card.locator('.checks li').evaluateAll(items => items.map(item => item.className)) }
    }
    const NAME = 'lethe-ledger-head'
    const remembered = () => page.evaluate(name => localStorage.getItem(name), NAME)
    const remember = text => page.evaluate(([name, value]) => localStorage.setItem(name, value), [NAME, text])
    await card.locator('dt', { hasText: 'Root' }).waitFor()
    const seen = { first: await verify() }
    // Something that the ledger is told.
    const bearer = { Authorization: `Bearer ${process.env.LETHE_KEY}` }
    const body = new FormData()
    body.set('model', 'whisper-1')
    body.set('file', new Blob(['no recording']), 'a.wav')
    await fetch(`${ORIGIN}/v1/audio/transcriptions`, { method: 'POST', headers: bearer, body })
    await fetch(`${ORIGIN}/lethe/v1/erase`, { method: 'POST', headers: bearer, body: JSON.stringify({ app_id: Number(process.env.LETHE_APP_ID) }) })
    seen.second = await verify()
    const before = await remembered()

    // What is changed on its way.
    const answers = async (pattern, change) => {
      await page.route(pattern, async route => {
        const answer = await (await route.fetch()).json()
        change(answer)
        await route.fulfill({ json: answer })
      })
      const verified = await verify()
      await page.unroute(pattern)
      return verified
    }
    const ALL = '**/lethe/v1/ledger*', WITH_PROOF = '**/lethe/v1/ledger?*'
    seen.root = await answers(ALL, answer => { answer.head = answer.head.replace(/\n(\d+)\n(.)/, (_, size, first) => `\n${size}\n${first === 'X' ? 'Y' : 'X'}`) })
    seen.time = await answers(ALL, answer => { answer.head = answer.head.replace(/\ntime \d/, '\ntime 9') })
    seen.key = await answers(ALL, answer => {
      // Name and id stay; a key may end in + itself.
      const [name, id] = answer.keys[0].split('+')
      answer.keys = [`${name}+${id}+${'A'.repeat(44)}`]
    })
    seen.broken = await answers(ALL, answer => { answer.head = '<b>no head</b>' })
    // What this browser saw were fewer leaves, with another root.
    const other = JSON.parse(before)
    other.head = other.head.replace(/\n\d+\n/, '\n1\n')
    await remember(JSON.stringify(other))
    seen.other = await verify()
    seen.unproven = await answers(WITH_PROOF, answer => { delete answer.consistency })
    await remember(before)
    seen.again = await verify()
    // It may be a head that was signed since.
    const last = await remembered()
    await page.locator('.chart-card canvas').last().waitFor()

    process.stderr.write('verified\n')
    const stale = page.locator('.charts.stale')
    while (await stale.count() === 0) {
      // Who comes back to the page sees it at once.
      await page.getByRole('link', { name: 'Speak' }).click()
      await page.getByRole('link', { name: 'Watch' }).click()
      await page.waitForTimeout(100)
    }
    seen.health = await textOf(page.locator('section[aria-labelledby=health-title]'))
    seen.stale = await stale.locator('canvas').count()
    await page.locator('.updated', { hasText: 'does not answer' }).waitFor()
    seen.words = await textOf(page.locator('#chart-card-memory .figure'))
    process.stderr.write('stale\n')
    await page.getByRole('dialog').waitFor()
    await signIn(page)
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.locator('.charts:not(.stale)').waitFor()
    seen.rewritten = await verify()
    seen.kept = await remembered() === last
    const [file] = await Promise.all([page.waitForEvent('download'), card.getByRole('button', { name: 'Save the heads' }).click()])
    seen.heads = JSON.parse(readFileSync(await file.path(), 'utf8'))
    await card.getByRole('button', { name: 'Remember this head instead' }).click()
    await page.getByRole('button', { name: 'Remember this one' }).click()
    await card.locator('.status', { hasText: 'held against this one' }).waitFor()
    seen.accepted = await verify()
    return seen
  },

  async accessibility(browser, recording) {
    const findings = {}
    for (const colorScheme of ['light', 'dark']) {
      const page = await open(browser, { colorScheme, viewport: { width: 360, height: 740 } })
      const look = async name => { findings[`${name}, ${colorScheme}`] = await seriousFindings(page) }
      await page.goto(URL_OF_CONSOLE)
      await page.getByLabel('Console password').waitFor()
      await look('sign in')
      await signIn(page, 'wrong')
      await alertOf(page).waitFor()
      await look('sign in, wrong')
      await signIn(page)
      await page.getByRole('navigation').waitFor()
      await look('speak')
      await page.getByRole('link', { name: 'Drop' }).click()
      await page.locator('input[type=file]').setInputFiles(recording)
      await page.locator('.word').first().waitFor()
      await page.locator('summary').click()
      await look('drop')
      await page.setViewportSize({ width: 1200, height: 800 })
      await page.getByRole('link', { name: 'Held' }).click()
      await page.getByText(/held\.$/).first().waitFor()
      await look('held')
      await page.setViewportSize({ width: 360, height: 740 })
      findings[`held sideways, ${colorScheme}`] = await sideways(page)
      await page.getByRole('link', { name: 'Tasks' }).click()
      await page.locator('.task').first().waitFor()
      await look('tasks')
      findings[`tasks sideways, ${colorScheme}`] = await sideways(page)
      await page.getByRole('link', { name: 'Watch' }).click()
      await page.locator('.chart-card canvas').last().waitFor()
      await page.locator('.total').waitFor()
      await page.locator('.definition').first().waitFor()
      await page.getByRole('button', { name: 'Verify it' }).click()
      await page.locator('section[aria-labelledby=ledger-title] .checks li').first().waitFor()
      await page.locator('#chart-card-latency summary').click()
      await look('watch')
      findings[`watch sideways, ${colorScheme}`] = await sideways(page)
      await page.getByRole('link', { name: 'Set up' }).click()
      await page.locator('section[aria-labelledby=keys-title] tbody tr').first().waitFor()
      await page.locator('summary', { hasText: 'curl' }).click()
      await look('set up')
      findings[`sideways, ${colorScheme}`] = await sideways(page)
      // Somebody's own choice goes before the system's.
      await page.getByRole('button', { name: /^Theme/ }).click()
      await page.getByRole('button', { name: /^Theme/ }).click()
      findings[`theme, ${colorScheme}`] = await page.evaluate(() => document.documentElement.dataset.theme === 'dark' ? [] : ['not dark'])
      await page.context().close()
    }
    return { findings }
  },
}

const browser = await launch(scenario === 'accessibility' ? undefined : process.env.LETHE_RECORDING)
try {
  const seen = await SCENARIOS[scenario](browser, ...files)
  console.log(JSON.stringify({ ...seen, complaints }))
} finally {
  await browser.close()
}
