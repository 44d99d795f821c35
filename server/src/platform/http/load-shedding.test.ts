import { afterEach, expect, test } from 'vitest'
import { LoadShedder } from './load-shedding.ts'

const shedders: LoadShedder[] = []
function shedder(load = {}): LoadShedder {
  const made = new LoadShedder({ readsInFlightMax: 100, writesInFlightMax: 1_000, eventLoopLagMsMax: 250, ...load })
  shedders.push(made)
  return made
}
afterEach(() => {
  for (const made of shedders.splice(0)) made.close()
})

test('reads are turned away while writes are still taken', () => {
  const load = shedder()
  for (let i = 0; i < 100; i++) expect(load.admit('reads')).toBe(true)
  expect(load.admit('reads')).toBe(false)
  expect(load.admit('writes')).toBe(true)
  load.release('reads', 5)
  expect(load.admit('reads')).toBe(true)
})

test('slow reads make room for fewer, never for none, and quick ones for more again', () => {
  const load = shedder()
  const slowSecond = () => {
    load.admit('reads')
    load.release('reads', 2_000)
    load.sample(10)
  }
  for (let i = 0; i < 50; i++) slowSecond()
  let admitted = 0
  while (load.admit('reads')) admitted++
  expect(admitted).toBe(32)
  for (let i = 0; i < admitted; i++) load.release('reads', 1)
  for (let i = 0; i < 10; i++) load.sample(10)
  admitted = 0
  while (load.admit('reads')) admitted++
  expect(admitted).toBe(100)
})

test('a burst that takes its time is served whole', () => {
  const load = shedder()
  for (let i = 0; i < 10; i++) {
    load.admit('reads')
    load.release('reads', 500)
    load.sample(200)
  }
  for (let i = 0; i < 100; i++) expect(load.admit('reads')).toBe(true)
})

test('one long pause turns nobody away; a loop that stays late stops reads, then writes', () => {
  const load = shedder()
  load.sample(600)
  expect(load.admit('reads')).toBe(true)
  for (let i = 0; i < 5; i++) load.sample(600)
  expect(load.admit('reads')).toBe(false)
  expect(load.admit('writes')).toBe(true)
  for (let i = 0; i < 10; i++) load.sample(3_000)
  expect(load.admit('writes')).toBe(false)
  expect(load.admit('never')).toBe(true)
  for (let i = 0; i < 20; i++) load.sample(10)
  expect(load.admit('reads')).toBe(true)
})
