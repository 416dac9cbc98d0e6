import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The first block of code in this language on a page of the documentation, below the heading if one is given. */
export async function snippet(page: string, language: string, heading = ''): Promise<string> {
  const text = await readFile(join(import.meta.dirname, '../../docs', page), 'utf8')
  const below = text.slice(text.indexOf(heading))
  const found = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(below)?.[1]
  if (found === undefined) throw new Error(`docs/${page} has no ${language} under "${heading}"`)
  return found
}
