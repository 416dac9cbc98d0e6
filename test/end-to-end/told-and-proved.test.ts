/** As `one-system.test.ts`, with what takes longer: most of it runs scripts, each in a process of its own. */
import './history.test.ts'
import './proofs.test.ts'
