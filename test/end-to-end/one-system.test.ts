/** What users do with a system that nothing goes wrong with: files that can be run alone, and share one here. */
import './first-signature.test.ts'
import './accounts.test.ts'
import './ethereum-payloads.test.ts'
