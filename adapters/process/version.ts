/** Of Quorate, as its processes tell it. */
export const VERSION = '0.1.0'
