/** Answers that can change no more, such as final blocks: those asked for last, `limit` of them. */
export type Remembered<T> = {
  /** What is remembered under the key, else what `load` gives, which is kept when it `isForEver`. */
  get(key: string, load: () => Promise<T>, isForEver: (answer: T) => boolean): Promise<T>
}

export function rememberAnswers<T>(limit: number): Remembered<T> {
  const answers = new Map<string, T>()
  const keep = (key: string, answer: T): void => {
    answers.delete(key)
    answers.set(key, answer)
    if (answers.size > limit) answers.delete(answers.keys().next().value!)
  }
  return {
    async get(key, load, isForEver) {
      const known = answers.get(key)
      const answer = known ?? (await load())
      if (known !== undefined || isForEver(answer)) keep(key, answer)
      return answer
    },
  }
}
