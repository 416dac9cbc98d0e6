import { hash } from 'node:crypto'
import type { Sha256 } from '../../domain/audit/merkle-tree.ts'

export const sha256: Sha256 = (message) => hash('sha256', message, 'buffer')
