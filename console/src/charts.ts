// Charts, drawn by uPlot: a bundle of its own, which is fetched when there is something to draw.

import uPlot from 'uplot'
import type { Chart, Line, Sample } from './watch_figures'

// What the axis of time spans at least, in seconds.
const SHORTEST = 300
const HEIGHT = 150
// A gap this many times as long as a sample is one: the line is broken.
const GAP = 3

const cssColour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
const clock = (unixSeconds: number) => new Date(unixSeconds * 1000).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })

/** Times, and a column for each line; null where there is nothing. */
function columns(all: Sample[], lines: Line[]): uPlot.AlignedData {
  const times: number[] = [], values: (number | null)[][] = lines.map(() => [])
  const add = (time: number, of: (line: Line) => number | null) => {
    times.push(time)
    lines.forEach((line, i) => values[i]!.push(of(line)))
  }
  all.forEach((sample, i) => {
    const before = all[i - 1]
    if (before && sample.time - before.time > GAP * sample.lasted) add(before.time + sample.lasted, () => null)
    add(sample.time, line => line.of(sample))
  })
  return [times, ...values]
}

// Values between gaps, through which no line goes.
function lonely(plot: uPlot, series: number): number[] {
  const values: (number | null | undefined)[] = Array.from(plot.data[series]!)
  return values.flatMap((value, i) => value != null && values[i - 1] == null && values[i + 1] == null ? [i] : [])
}

export class Plot {
  private readonly plot: uPlot

  /** `point` is told which sample the pointer is at, by its time; null: none. */
  constructor(private readonly target: HTMLElement, private readonly chart: Chart, point: (time: number | null) => void) {
    const axis = { stroke: () => cssColour('muted'), grid: { stroke: () => cssColour('line'), width: 1 }, ticks: { show: false } }
    this.plot = new uPlot({
      width: this.width(), height: HEIGHT, legend: { show: false }, cursor: { y: false, drag: { x: false, y: false } },
      scales: {
        // From a single sample no axis can be made.
        x: { range: (_, least, most) => [Math.min(least ?? 0, (most ?? SHORTEST) - SHORTEST), most ?? SHORTEST] },
        y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] },
      },
      axes: [
        { ...axis, values: (_, splits) => splits.map(clock), space: 60 },
        { ...axis, values: (_, splits) => splits.map(each => chart.show(each)), size: 88 },
      ],
      series: [{}, ...chart.lines.map(({ colour, dash }) => ({
        stroke: () => cssColour(colour), width: 2, ...dash ? { dash } : {},
        points: { show: false, filter: lonely, size: 5, stroke: () => cssColour(colour), fill: () => cssColour(colour) },
      }))],
      hooks: { setCursor: [plot => point(plot.cursor.idx == null ? null : plot.data[0]![plot.cursor.idx] ?? null)] },
    }, [[], ...chart.lines.map(() => [])] as uPlot.AlignedData, target)
    new ResizeObserver(() => this.plot.setSize({ width: this.width(), height: HEIGHT })).observe(target)
  }

  private width(): number { return Math.max(120, this.target.clientWidth) }

  show(all: Sample[]): void { this.plot.setData(columns(all, this.chart.lines)) }

  /** In the colours of the theme, which may have changed. */
  redraw(): void { this.plot.redraw(false, true) }
}
