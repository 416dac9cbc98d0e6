/** A server's URL as it may be shown: all that can be a name or a password is left out, whatever is in it. */
export const withoutCredentials = (url: string): string => url.replace(/\/\/.*@/, '//')
