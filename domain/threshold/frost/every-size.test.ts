import { FROST_SCHEMES } from '../testing/ciphersuites.ts'
import { testSizes } from '../testing/sizes.ts'

const upToFive = [1, 2, 3, 4, 5].flatMap((parties) =>
  Array.from({ length: parties }, (_, i): [threshold: number, parties: number] => [i + 1, parties]),
)
for (const scheme of FROST_SCHEMES) testSizes(scheme, [...upToFive, [7, 7], [4, 7]])
