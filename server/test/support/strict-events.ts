import { checkEventsWhenMade } from '../../src/platform/events/definition.ts'

/** Run before every test file: an event that is not what its definition says fails the test that publishes it. */
checkEventsWhenMade()
