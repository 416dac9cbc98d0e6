/** Subjects of NATS: tokens parted by dots; in a subscription `*` stands for one token and a last `>` for one or more. */

/** Deeper subjects are refused, because each token of a subscription costs a node of the tree. */
const MAX_TOKENS = 64

/** True when a subscription may name the subject. A wildcard counts as one only when it is a whole token. */
export function isSubscribable(subject: string): boolean {
  const tokens = subject.split('.')
  return tokens.length <= MAX_TOKENS && tokens.every((token, index) => token !== '' && (token !== '>' || index === tokens.length - 1))
}

/** True when the subject names exactly one place, so that a message may be published to it. */
export function isLiteral(subject: string): boolean {
  return isSubscribable(subject) && subject.split('.').every((token) => token !== '*' && token !== '>')
}
