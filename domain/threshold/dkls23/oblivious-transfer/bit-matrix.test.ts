import test from 'ava'
import fc from 'fast-check'
import { addRow, bitOf, rowOf, transpose } from './bit-matrix.ts'

test('a transposed matrix has rows for columns', (t) => {
  const size = fc.integer({ min: 1, max: 8 })
  fc.assert(
    fc.property(
      fc.tuple(size, size, fc.nat(3)).chain(([rows, columns, surplus]) =>
        fc.record({
          columns: fc.constant(8 * columns),
          rowLength: fc.constant(columns + surplus),
          rows: fc.constant(8 * rows),
          matrix: fc.uint8Array({ minLength: 8 * rows * (columns + surplus), maxLength: 8 * rows * (columns + surplus) }),
        }),
      ),
      ({ rows, columns, rowLength, matrix }) => {
        const transposed = transpose(matrix, rowLength, columns)
        t.is(transposed.length, (rows * columns) / 8)
        for (let row = 0; row < rows; row++)
          for (let column = 0; column < columns; column++) {
            const was = bitOf(rowOf(matrix, row, rowLength), column)
            if (bitOf(rowOf(transposed, column, rows / 8), row) !== was) t.fail(`row ${row}, column ${column}`)
          }
      },
    ),
    { numRuns: 50 },
  )
})

test('a row is added where the bit says so', (t) => {
  const row = Uint8Array.of(0b1100, 255)
  addRow(row, Uint8Array.of(0b1010, 255), 0)
  t.deepEqual(row, Uint8Array.of(0b1100, 255))
  addRow(row, Uint8Array.of(0b1010, 255), 1)
  t.deepEqual(row, Uint8Array.of(0b0110, 0))
})
