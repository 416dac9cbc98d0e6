import { type Document as AnyDocument, type Collection, Long, MongoBulkWriteError, MongoServerError, type ObjectId } from 'mongodb'
import type { Check, DocumentsServer } from './documents-fixture.ts'

type Ids = string | number | ObjectId

/** What MongoDB promises of updates, order, indexes and errors, as far as read models rely on it. */
export function semanticsContract(check: Check, server: () => DocumentsServer): void {
  const refused = (code: number) => ({ instanceOf: MongoServerError, code })

  check('a maximum only rises, and makes its document when it is missing', async (t, { collection }) => {
    const raise = (position: number) =>
      collection.findOneAndUpdate({ _id: 'p' }, { $max: { position } }, { upsert: true, returnDocument: 'after' })
    t.deepEqual(await raise(2 ** 33), { _id: 'p', position: 2 ** 33 })
    t.deepEqual(await raise(7), { _id: 'p', position: 2 ** 33 })
    t.deepEqual(await raise(2 ** 33 + 0.5), { _id: 'p', position: 2 ** 33 + 0.5 })
    t.is((await collection.updateOne({ _id: 'p' }, { $max: { position: 1 } })).modifiedCount, 0)
    await collection.updateOne({ _id: 'p' }, { $min: { position: 3 }, $max: { highest: 'x' } })
    t.deepEqual(await collection.findOne({ _id: 'p' }), { _id: 'p', position: 3, highest: 'x' })
  })

  check('concurrent updates of one document are all counted', async (t, { collection }) => {
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        collection.findOneAndUpdate({ _id: 'n' }, { $inc: { n: 1 }, $push: { seen: { $each: [i], $slice: -200 } } } as object, {
          upsert: true,
        }),
      ),
    )
    const found = (await collection.findOne({ _id: 'n' })) as { n: number; seen: number[] } | null
    t.is(found?.n, 100)
    t.deepEqual(
      found?.seen.sort((a, b) => a - b),
      Array.from({ length: 100 }, (_, i) => i),
    )
  })

  check('of many who want the same document at the same position, one gets it', async (t, { collection }) => {
    await collection.insertOne({ _id: 'lock', position: 1 })
    const taken = await Promise.all(
      Array.from({ length: 20 }, (_, i) => collection.updateOne({ _id: 'lock', position: 1 }, { $set: { position: 2, owner: i } })),
    )
    t.is(taken.filter(({ modifiedCount }) => modifiedCount === 1).length, 1)
  })

  check('integers of 64 bits, doubles and 32-bit integers compare as numbers', async (t, { collection }) => {
    await collection.insertMany([
      { _id: 1, n: Long.fromString('9007199254740993') },
      { _id: 2, n: 9007199254740992 },
      { _id: 3, n: 5 },
      { _id: 4, n: 5.5 },
      { _id: 5, n: Long.fromNumber(6) },
      { _id: 6, n: -1 },
    ])
    await collection.createIndex({ n: 1 })
    const ids = async (filter: object) =>
      (
        await collection
          .find(filter, { hint: { n: 1 } })
          .sort({ n: 1 })
          .toArray()
      ).map(({ _id }) => _id)
    t.deepEqual(await ids({}), [6, 3, 4, 5, 2, 1])
    t.deepEqual(await ids({ n: { $gt: 9007199254740992 } }), [1])
    t.deepEqual(await ids({ n: { $gte: Long.fromNumber(5), $lt: 6 } }), [3, 4])
    t.deepEqual(await ids({ n: Long.fromNumber(5) }), [3])
    t.deepEqual(await ids({ n: { $in: [6, 5.5] } }), [4, 5])
  })

  check('texts are in the order of their bytes, and compare with texts only', async (t, { collection }) => {
    const texts = ['', 'A', 'B', 'a', 'aa', 'z', 'é', '\uffee', '\u{1f511}']
    await collection.insertMany(texts.toReversed().map((text) => ({ _id: text, text })))
    await collection.insertOne({ _id: 5, text: 5 })
    const found = async (filter: object) => (await collection.find(filter).sort({ text: 1 }).toArray()).map(({ text }) => text)
    t.deepEqual(await found({ text: { $gte: '' } }), texts)
    t.deepEqual(await found({ text: { $gt: 'a', $lt: 'é' } }), ['aa', 'z'])
    await collection.createIndex({ text: 1 })
    t.deepEqual(await found({ text: { $gte: '' } }), texts)
    t.deepEqual(await found({ text: { $gt: 'a', $lt: 'é' } }), ['aa', 'z'])
    t.deepEqual(
      (
        await collection
          .find({ _id: { $gt: 'é' } })
          .sort({ _id: -1 })
          .toArray()
      ).map(({ _id }) => _id),
      ['\u{1f511}', '\uffee'],
    )
  })

  check('what is stored comes back byte for byte, also after an update of another field', async (t, { collection }) => {
    const document = {
      _id: 'x',
      ten: 10,
      big: 2 ** 40,
      half: 0.5,
      none: null,
      list: [1, [2, 'three'], { four: 4 }],
      at: new Date(0),
      empty: {},
      text: 'ü\u{1f511}',
    }
    await collection.insertOne(document)
    await collection.updateOne({ _id: 'x' }, { $set: { ten: 11 } })
    t.deepEqual(await collection.findOne({ _id: 'x' }), { ...document, ten: 11 } as never)
  })

  check('fields that are not there are told from those that are null', async (t, { collection }) => {
    await collection.insertMany([{ _id: 1 }, { _id: 2, position: null }, { _id: 3, position: 0 }])
    const ids = async (filter: object) => (await collection.find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id)
    t.deepEqual(await ids({ position: { $exists: false } }), [1])
    t.deepEqual(await ids({ position: null }), [1, 2])
    t.deepEqual(await ids({ position: { $lt: 1 } }), [3])
    await collection.createIndex({ position: 1 })
    t.deepEqual(await ids({ position: { $exists: false } }), [1])
    t.deepEqual(await ids({ position: null }), [1, 2])
  })

  check('an unordered bulk write says of each failure where it was, and of each upsert what came of it', async (t, { collection }) => {
    await collection.insertMany([
      { _id: 'a', position: 5 },
      { _id: 'b', position: 1 },
    ])
    const guarded = (id: string, filter: object, position: number) => ({
      updateOne: { filter: { _id: id, ...filter }, update: { $set: { position } }, upsert: true },
    })
    const operations = [
      guarded('a', { position: { $exists: false } }, 6),
      guarded('b', { position: 1 }, 2),
      guarded('c', { position: { $exists: false } }, 3),
      guarded('a', { position: 4 }, 7),
    ]
    const error = await t.throwsAsync<MongoBulkWriteError>(collection.bulkWrite(operations as never, { ordered: false }), {
      instanceOf: MongoBulkWriteError,
      code: 11000,
    })
    t.deepEqual(
      [error!.writeErrors].flat().map(({ index, code }) => [index, code]),
      [
        [0, 11000],
        [3, 11000],
      ],
    )
    t.deepEqual([error!.matchedCount, error!.modifiedCount, error!.upsertedCount], [1, 1, 1])
    t.deepEqual(error!.result.upsertedIds, { 2: 'c' })
    t.deepEqual(await positions(collection), { a: 5, b: 2, c: 3 })
  })

  check('pages by an index are whole and in order, forwards and backwards', async (t, { collection }) => {
    await collection.createIndex({ walletId: 1, _id: 1 })
    await collection.insertMany(Array.from({ length: 400 }, (_, i) => ({ _id: `${i}`.padStart(5, '0'), walletId: `w${i % 4}` })))
    for (const direction of [1, -1] as const) {
      const seen: Ids[] = []
      for (let beyond: Ids | undefined; ; beyond = seen.at(-1)) {
        const from = beyond === undefined ? [] : [{ _id: { [direction === 1 ? '$gt' : '$lt']: beyond } }]
        const filter = { $and: [{ walletId: { $eq: 'w1' } }, ...from] }
        const page = await collection.find(filter as object, { sort: { _id: direction }, limit: 7 }).toArray()
        seen.push(...page.map(({ _id }) => _id))
        if (page.length < 7) break
      }
      const expected = Array.from({ length: 100 }, (_, i) => `${i * 4 + 1}`.padStart(5, '0'))
      t.deepEqual(seen, direction === 1 ? expected : expected.toReversed())
    }
  })

  check('documents are counted with and without a filter, skip and limit', async (t, { collection }) => {
    t.is(await collection.estimatedDocumentCount(), 0)
    await collection.insertMany(Array.from({ length: 30 }, (_, i) => ({ _id: i, odd: i % 2, tags: ['x', `t${i % 3}`] })))
    t.is(await collection.estimatedDocumentCount(), 30)
    t.is(await collection.countDocuments({ odd: 1 }), 15)
    t.is(await collection.countDocuments({ odd: 1 }, { skip: 10, limit: 20 }), 5)
    t.is(await collection.countDocuments({ odd: 7 }), 0)
    t.deepEqual((await collection.distinct('tags')).sort(), ['t0', 't1', 't2', 'x'])
    t.deepEqual(await collection.distinct('tags', { _id: { $lt: 1 } }), ['t0', 'x'])
    t.deepEqual(await collection.distinct('none'), [])
  })

  check('everything that matches is deleted, and its keys are free again', async (t, { collection }) => {
    await collection.createIndex({ key: 1 }, { unique: true })
    await collection.insertMany(Array.from({ length: 1_200 }, (_, i) => ({ _id: i, key: `k${i}`, build: i % 2 })))
    t.is((await collection.deleteMany({ build: 1 })).deletedCount, 600)
    t.is((await collection.deleteMany({ build: 1 })).deletedCount, 0)
    t.is(await collection.countDocuments({}), 600)
    await t.notThrowsAsync(collection.insertOne({ _id: 1, key: 'k1', build: 2 }))
    await t.throwsAsync(collection.insertOne({ _id: 3, key: 'k2', build: 2 }), refused(11000))
  })

  check('an index is made once, and not under two names or with two meanings', async (t, { collection }) => {
    t.is(await collection.createIndex({ a: 1 }), 'a_1')
    t.is(await collection.createIndex({ a: 1 }), 'a_1')
    await t.throwsAsync(collection.createIndex({ a: 1 }, { name: 'other' }), refused(85))
    await t.throwsAsync(collection.createIndex({ b: 1 }, { name: 'a_1' }), refused(86))
    await t.throwsAsync(collection.createIndex({ a: 1 }, { unique: true }), refused(86))
    await t.throwsAsync(collection.dropIndex('none'), refused(27))
    await t.throwsAsync(collection.dropIndex('_id_'), refused(72))
    await collection.createIndex({ c: -1 })
    await collection.dropIndexes()
    t.deepEqual(
      (await collection.indexes()).map(({ name }) => name),
      ['_id_'],
    )
  })

  check('a collection is renamed with all that belongs to it', async (t, { name, collection }) => {
    const { database } = server()
    await collection.createIndex({ n: 1 }, { unique: true })
    await collection.insertOne({ _id: 1, n: 1 })
    await database.collection(`${name}_taken`).insertOne({ n: 2 })
    await t.throwsAsync(collection.rename(`${name}_taken`), refused(48))
    await collection.rename(`${name}_taken`, { dropTarget: true })
    const renamed = database.collection(`${name}_taken`)
    t.deepEqual(await renamed.find({}).toArray(), [{ _id: 1, n: 1 }] as never)
    t.deepEqual((await renamed.indexes()).map((index) => index.name).sort(), ['_id_', 'n_1'])
    t.is(await collection.countDocuments({}), 0)
    await t.throwsAsync(collection.rename('elsewhere'), refused(26))
    await renamed.drop()
  })

  check('dropping takes documents and indexes along, and what is not there is dropped as well', async (t, { name, collection }) => {
    await collection.createIndex({ n: 1 }, { unique: true })
    await collection.insertOne({ _id: 1, n: 1 })
    t.true(await collection.drop())
    t.deepEqual(await server().database.listCollections({ name }).toArray(), [])
    await collection.insertMany([
      { _id: 1, n: 1 },
      { _id: 2, n: 1 },
    ])
    t.deepEqual(
      (await collection.indexes()).map((index) => index.name),
      ['_id_'],
    )
    await collection.drop()
    await t.notThrowsAsync(collection.drop())
  })

  check('what a client asks wrongly is refused by its code, and harms nothing', async (t, { name, collection }) => {
    const { database } = server()
    await collection.insertOne({ _id: 1, n: 1 })
    await t.throwsAsync(collection.find({ n: { $nearly: 1 } } as object).toArray(), refused(2))
    await t.throwsAsync(collection.updateOne({ _id: 1 }, { $nonsense: { n: 2 } } as object), refused(9))
    await t.throwsAsync(collection.aggregate([{ $nonsense: {} }]).toArray(), refused(40324))
    await t.throwsAsync(database.command({ find: name, filter: 'x' }), refused(14))
    await t.throwsAsync(database.command({ find: '' }), refused(73))
    await t.throwsAsync(collection.findOneAndUpdate({ _id: 1 }, { $inc: { n: 'x' } } as object), refused(14))
    t.deepEqual(await collection.find({}).toArray(), [{ _id: 1, n: 1 }])
  })
}

async function positions(collection: Collection<AnyDocument & { _id: Ids }>): Promise<object> {
  const found = await collection.find({}).toArray()
  return Object.fromEntries(found.map(({ _id, position }) => [_id, position]))
}
