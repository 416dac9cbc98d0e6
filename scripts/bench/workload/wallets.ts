import type { EventLog } from '../../../domain/ports/event-log.ts'
import type { Append } from '../projection-lag.ts'
import { chance } from './fate.ts'
import { type Step, walletLife } from './wallet-life.ts'

/** Many wallets that live at the same time, each one step after the other; where one has lived its life, the next begins. */
export type Wallets = {
  /** The next step of each wallet in turn; it waits until the wallet's last one is in the log. `onAppended` is told of each. */
  appends(onAppended: OnAppended): Generator<Append>
  /** Appends so many events, or the few more that the last steps hold, as fast as the log takes them; resolves to the position of the last. */
  append(events: number, onAppended: OnAppended): Promise<{ events: number; position: bigint }>
}

type OnAppended = (step: Step, position: bigint) => void

/** As many clients as a busy system has at a time. */
const AT_A_TIME = 64

export function createWallets(log: EventLog): Wallets {
  let begun = 0
  const lives = Array.from({ length: AT_A_TIME }, () => ({ steps: walletLife(begun++, chance), last: Promise.resolve(0n) }))

  function nextStep(life: (typeof lives)[number]): Step {
    for (;;) {
      const { value, done } = life.steps.next()
      if (!done) return value
      life.steps = walletLife(begun++, chance)
    }
  }

  return {
    *appends(onAppended) {
      for (let turn = 0; ; turn++) {
        const life = lives[turn % AT_A_TIME] as (typeof lives)[number]
        const step = nextStep(life)
        yield {
          events: step.events.length,
          append() {
            life.last = life.last.then(async () => {
              const { position } = await log.append(step.stream, step.expected, step.events)
              onAppended(step, position)
              return position
            })
            return life.last
          },
        }
      }
    },

    async append(events, onAppended) {
      let sent = 0
      const positions = await Promise.all(
        lives.map(async (life) => {
          let position = -1n
          while (sent < events) {
            const step = nextStep(life)
            sent += step.events.length
            position = (await log.append(step.stream, step.expected, step.events)).position
            onAppended(step, position)
          }
          return position
        }),
      )
      return { events: sent, position: positions.reduce((last, position) => (position > last ? position : last)) }
    },
  }
}
