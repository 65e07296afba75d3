// Debian's Chromium with the console in it, as the tests and the pictures use it.

import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { chromium } from 'playwright-core'

export const URL_OF_CONSOLE = `${process.env.LETHE_URL}/console/`
const PASSWORD = process.env.LETHE_CONSOLE_PASSWORD
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** A browser whose microphone plays a recording, once. */
export function launch(recording) {
  return chromium.launch({
    executablePath: process.env.LETHE_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--use-fake-device-for-media-stream', '--autoplay-policy=no-user-gesture-required',
      ...recording ? [`--use-file-for-fake-audio-capture=${recording}%noloop`] : []],
  })
}

/** What the console's pages should not have done. */
export const complaints = []

/** A page of a fresh profile. */
export async function open(browser, options = {}, permissions = ['microphone', 'clipboard-read', 'clipboard-write']) {
  const context = await browser.newContext({ locale: 'en-GB', ...options })
  await context.grantPermissions(permissions)
  const page = await context.newPage()
  watch(page)
  return page
}

/** Notes what a page should not do. */
export function watch(page) {
  page.setDefaultTimeout(60_000)
  page.on('pageerror', error => complaints.push(String(error)))
  page.on('console', message => {
    // Refused calls are told there too; those the tests look at in the page.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource') &&
        !/WebSocket connection/.test(message.text())) complaints.push(message.text())
  })
  page.on('request', request => {
    const { protocol, origin } = new URL(request.url())
    if (/^(http|ws)/.test(protocol) && origin !== new URL(URL_OF_CONSOLE).origin) {
      complaints.push(`asked ${request.url()}`)
    }
  })
}

export async function signIn(page, password = PASSWORD) {
  await page.getByLabel('Console password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** A page that is signed in, at one of the console's pages. */
export async function openSignedIn(browser, hash = '#/speak', options = {}) {
  const page = await open(browser, options)
  await page.goto(URL_OF_CONSOLE + hash)
  await signIn(page)
  await page.getByRole('navigation').waitFor()
  return page
}

/** What is read there, in one line. */
export const textOf = async locator => (await locator.innerText()).replaceAll(/\s+/g, ' ').trim()

/** What the page says went wrong. */
export const alertOf = page => page.getByRole('alert').filter({ hasText: /\w/ }).first()

/** What makes the page itself scroll sideways. */
export const sideways = page => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth ? []
  : [...document.querySelectorAll('main *')].filter(each => each.checkVisibility() && !each.closest('.scroll') &&
    each.getBoundingClientRect().right > innerWidth).map(each => `${each.tagName}.${each.className} scrolls sideways`))

/** Findings of axe that are serious or critical. */
export async function seriousFindings(page) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, {
    resultTypes: ['violations'],
  }))
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).slice(0, 5).join(', ')}`)
}
