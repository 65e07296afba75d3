// The page of tasks, driven: cancelling, trying again, calling back, and what it makes of strange texts.

import { alertOf, openSignedIn, textOf } from './browser.mjs'

const MARKUP = '<img src=x onerror=document.title=1>'

/** Ids of tasks: one that runs, one whose recording can be fetched now, one whose callback was in vain. */
export async function tasks(browser, running, failed, unanswered) {
  const page = await openSignedIn(browser, '#/tasks')
  const entry = id => page.locator('.task', { hasText: id })
  const button = (id, name) => entry(id).getByRole('button', { name })
  const note = page.locator('section[aria-labelledby=tasks-title] > .status').first()
  // The focus comes back when the dialog has told that it is closed, a little behind the click.
  const focused = async name =>
    (await page.waitForFunction(name => document.activeElement.getAttribute(name), name)).jsonValue()
  await entry(running).getByRole('progressbar').waitFor()
  const seen = { running: await textOf(entry(running)), part: await entry(running).getByRole('progressbar').evaluate(bar => bar.position) }
  seen.note = await textOf(note)
  // It goes on by itself.
  await page.waitForFunction(part => document.querySelector('.task progress:not([hidden])')?.position > part, seen.part)
  seen.failed = await textOf(entry(failed))
  seen.unanswered = await textOf(entry(unanswered))

  await button(running, 'Cancel').click()
  seen.asked = await textOf(page.getByRole('dialog').getByRole('heading'))
  await page.getByRole('button', { name: 'Keep it' }).click()
  seen.back = await focused('aria-label')
  // By keyboard.
  await page.keyboard.press('Enter')
  await page.keyboard.press('Shift+Tab')
  await page.keyboard.press('Enter')
  await entry(running).locator('.state', { hasText: 'cancelled' }).waitFor()
  await page.getByText(`Task ${running} is cancelled.`).waitFor()
  seen.cancelled = await textOf(entry(running))
  seen.focused = await focused('aria-labelledby')
  await button(failed, 'Retry').click()
  seen.retried = await textOf(page.getByText(`Task ${failed} is tried again as task`))
  const again = seen.retried.match(/as task (\d+)/)[1]
  await entry(again).locator('.state', { hasText: 'done' }).waitFor()
  // What was done stays to be read while the list is looked at.
  seen.stays = await textOf(page.getByText(`Task ${failed} is tried again as task`))
  await button(unanswered, 'Call back again').click()
  await entry(unanswered).getByText('delivered').waitFor()
  seen.delivered = await textOf(entry(unanswered))

  await page.getByLabel('State').selectOption('Failed')
  await entry(again).waitFor({ state: 'detached' })
  seen.filtered = await page.locator('.task h2').allInnerTexts()
  await page.getByLabel('State').selectOption('Waiting')
  await page.getByText('No tasks.').waitFor()
  await page.getByLabel('State').selectOption('Any state')
  await entry(again).waitFor()
  await page.getByLabel('Task id').fill('4711 x')
  await page.keyboard.press('Enter')
  seen.wrong = await textOf(alertOf(page))
  await page.getByLabel('Task id').fill('4711')
  await page.keyboard.press('Enter')
  await page.getByText('There is no such task').waitFor()
  await page.getByLabel('Task id').fill(failed)
  await page.keyboard.press('Enter')
  await entry(failed).waitFor()
  seen.found = await page.locator('.task h2').allInnerTexts()

  // It has ended meanwhile, on its way to here.
  await page.route('**/lethe/v1/tasks', async route => {
    seen.sent = Object.keys(route.request().postDataJSON())
    // Whoever goes on to something else while it is on its way is left there.
    await page.getByLabel('Task id').focus()
    await route.fulfill({ status: 409, json: { error: { code: 'failed_precondition', message: `too late ${MARKUP}` } } })
  })
  await page.route('**/lethe/v1/tasks?*', async route => {
    const answer = await (await route.fetch()).json()
    Object.assign(answer.tasks[0], {
      state: 'failed', engine: MARKUP, error: { code: MARKUP, message: MARKUP }, actions: ['retry'],
      callback: { host: MARKUP, state: 'given_up', attempts: 2, error: MARKUP },
    })
    await route.fulfill({ json: answer })
  })
  await page.getByRole('button', { name: 'Show', exact: true }).click()
  await button(failed, 'Retry').click()
  seen.late = await textOf(alertOf(page))
  await page.waitForFunction(() => !document.querySelector('.task button:disabled'))
  seen.left = await page.getByLabel('Task id').evaluate(field => field === document.activeElement)
  seen.markup = await textOf(entry(failed))
  seen.images = await page.locator('img').count()
  seen.title = await page.title()
  await page.unrouteAll()

  // Something is under way, and the service does not answer for a while: what is shown stays, and goes on
  // when it is back.
  await page.route('**/lethe/v1/tasks?*', async route => {
    const answer = await (await route.fetch()).json()
    Object.assign(answer.tasks[0], { state: 'running', actions: ['cancel'] })
    await route.fulfill({ json: answer })
  })
  await page.getByRole('button', { name: 'Show', exact: true }).click()
  await button(failed, 'Cancel').waitFor()
  await page.unrouteAll()
  await page.route('**/lethe/v1/tasks?*', route => route.abort())
  seen.away = await textOf(alertOf(page))
  seen.stayed = await textOf(entry(failed))
  await page.unrouteAll()
  await alertOf(page).waitFor({ state: 'detached' })
  await button(failed, 'Retry').waitFor()

  // There are more than anybody reads, whose callers nobody may tell any more.
  await page.route('**/lethe/v1/tasks?*', async route => {
    const answer = await (await route.fetch()).json()
    const many = Number(new URL(route.request().url()).searchParams.get('limit'))
    const withdrawn = { host: 'example.com', state: 'given_up', attempts: 0, error: 'they have withdrawn' }
    answer.tasks = Array.from({ length: many }, (_, i) => ({ ...answer.tasks[0], task_id: i + 1, callback: withdrawn }))
    await route.fulfill({ json: { ...answer, next: '1' } })
  })
  await page.getByRole('button', { name: 'Show', exact: true }).click()
  for (const shown of [50, 100, 150]) {
    await page.getByText(`${shown} and more tasks.`).waitFor()
    await page.getByRole('button', { name: 'Show more' }).click()
  }
  seen.many = await textOf(page.getByText('200 and more tasks.'))
  seen.more = await page.getByRole('button', { name: 'Show more' }).isVisible()
  seen.untold = await textOf(page.locator('.task').last())
  await page.unrouteAll()
  await page.getByRole('button', { name: 'Show', exact: true }).click()

  await entry(failed).getByRole('link', { name: 'What is held' }).click()
  await page.getByText(/held\.$/).first().waitFor()
  seen.held = { which: await page.getByLabel('Which').inputValue(), note: await textOf(page.locator('section[aria-labelledby=held-title] > .status').first()) }
  return seen
}
