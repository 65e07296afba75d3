// Takes the pictures: pictures.mjs FOLDER RECORDING.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { URL_OF_CONSOLE, launch, open, signIn } from './browser.mjs'

const [folder, recording] = process.argv.slice(2)
const SIZES = { wide: { width: 1120, height: 760 }, narrow: { width: 390, height: 780 } }

const PAGES = {
  async speak(page) {
    await page.getByRole('button', { name: 'Record' }).click()
    await page.locator('.lines li').first().waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByText('Done.').waitFor()
  },
  async drop(page) {
    await page.locator('input[type=file]').setInputFiles(recording)
    await page.locator('.word').nth(7).click()
    await page.locator('.word[aria-current]').waitFor()
    await page.locator('audio').evaluate(audio => audio.pause())
  },
  async 'set-up'(page) {
    await page.locator('section[aria-labelledby=keys-title] tbody tr').first().waitFor()
    await page.locator('summary', { hasText: 'curl' }).click()
  },
  async watch(page) {
    await page.locator('.chart-card canvas').last().waitFor()
    await page.locator('.total').waitFor()
    await page.locator('.updated', { hasText: 'Updated' }).waitFor()
  },
  async tasks(page) { await page.locator('.task .failed').waitFor() },
  async held(page) { await page.getByText(/held\.$/).first().waitFor() },
}

mkdirSync(folder, { recursive: true })
for (const colorScheme of ['light', 'dark']) {
  for (const [width, viewport] of Object.entries(SIZES)) {
    for (const [name, prepare] of Object.entries(PAGES)) {
      // A browser for each: its microphone plays the recording once.
      const browser = await launch(recording)
      const page = await open(browser, { colorScheme, viewport })
      await page.goto(`${URL_OF_CONSOLE}#/${name}`)
      await signIn(page)
      await page.getByRole('navigation').waitFor()
      await prepare(page)
      await page.screenshot({ path: join(folder, `console-${name}-${colorScheme}-${width}.png`) })
      await browser.close()
    }
  }
}
