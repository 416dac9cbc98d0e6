/**
 * The part of the package pkcs11js that is used here, written out because the package is optional: this must compile where it is not installed.
 * Functions and constants are those of PKCS #11, under their own names. Handles are opaque bytes.
 */
export type Handle = Buffer

export type Attribute = { type: number; value?: number | boolean | string | Buffer }
export type Mechanism = { mechanism: number; parameter?: object | Buffer | number | null }

/** A loaded module. It throws errors with the standard's code (CKR_…) as `code`. */
export interface Cryptoki {
  load(path: string): void
  C_Initialize(options?: { flags?: number }): void
  C_Finalize(): void
  C_GetSlotList(tokenPresent?: boolean): Handle[]
  C_GetMechanismList(slot: Handle): number[]
  C_GetTokenInfo(slot: Handle): { label: string; model: string; manufacturerID: string; flags: number }
  C_InitToken(slot: Handle, pin?: string, label?: string): string
  C_InitPIN(session: Handle, pin?: string): void
  C_OpenSession(slot: Handle, flags: number): Handle
  C_CloseSession(session: Handle): void
  C_CloseAllSessions(slot: Handle): void
  C_Login(session: Handle, userType: number, pin?: string): void
  C_FindObjectsInit(session: Handle, template: Attribute[]): void
  C_FindObjects(session: Handle, maxObjectCount: number): Handle[]
  C_FindObjectsFinal(session: Handle): void
  C_GenerateKey(session: Handle, mechanism: Mechanism, template: Attribute[]): Handle
  C_GenerateKeyPair(
    session: Handle,
    mechanism: Mechanism,
    publicKey: Attribute[],
    privateKey: Attribute[],
  ): { publicKey: Handle; privateKey: Handle }
  C_GetAttributeValue(session: Handle, object: Handle, template: Attribute[]): Attribute[]
  C_SetAttributeValue(session: Handle, object: Handle, template: Attribute[]): void
  C_WrapKey(session: Handle, mechanism: Mechanism, wrappingKey: Handle, key: Handle, wrappedKey: Buffer): Buffer
  C_EncryptInit(session: Handle, mechanism: Mechanism, key: Handle): void
  C_EncryptAsync(session: Handle, input: Buffer, output: Buffer): Promise<Buffer>
  C_DecryptInit(session: Handle, mechanism: Mechanism, key: Handle): void
  C_DecryptAsync(session: Handle, input: Buffer, output: Buffer): Promise<Buffer>
  C_SignInit(session: Handle, mechanism: Mechanism, key: Handle): void
  C_SignAsync(session: Handle, input: Buffer, output: Buffer): Promise<Buffer>
}

/** Of PKCS #11 3.0, which the package does not name yet. */
export const CKK_EC_EDWARDS = 0x40
export const CKM_EC_EDWARDS_KEY_PAIR_GEN = 0x1055
export const CKM_EDDSA = 0x1057

type Constant =
  | 'CKA_CLASS'
  | 'CKA_DECRYPT'
  | 'CKA_EC_PARAMS'
  | 'CKA_EC_POINT'
  | 'CKA_ENCRYPT'
  | 'CKA_EXTRACTABLE'
  | 'CKA_KEY_TYPE'
  | 'CKA_LABEL'
  | 'CKA_PRIVATE'
  | 'CKA_SENSITIVE'
  | 'CKA_SIGN'
  | 'CKA_TOKEN'
  | 'CKA_UNWRAP'
  | 'CKA_VALUE'
  | 'CKA_VALUE_LEN'
  | 'CKA_VERIFY'
  | 'CKA_WRAP'
  | 'CKF_OS_LOCKING_OK'
  | 'CKF_RW_SESSION'
  | 'CKF_SERIAL_SESSION'
  | 'CKF_TOKEN_INITIALIZED'
  | 'CKF_USER_PIN_INITIALIZED'
  | 'CKK_AES'
  | 'CKM_AES_GCM'
  | 'CKM_AES_KEY_GEN'
  | 'CKM_AES_KEY_WRAP'
  | 'CKO_PRIVATE_KEY'
  | 'CKO_PUBLIC_KEY'
  | 'CKO_SECRET_KEY'
  | 'CKR_CRYPTOKI_ALREADY_INITIALIZED'
  | 'CKR_ENCRYPTED_DATA_INVALID'
  | 'CKR_ENCRYPTED_DATA_LEN_RANGE'
  | 'CKR_GENERAL_ERROR'
  | 'CKR_PIN_INCORRECT'
  | 'CKR_PIN_LEN_RANGE'
  | 'CKR_PIN_LOCKED'
  | 'CKR_USER_ALREADY_LOGGED_IN'
  | 'CKU_SO'
  | 'CKU_USER'
  | 'CK_PARAMS_AES_GCM'

/** The package itself. */
export type Driver = { readonly [Name in Constant]: number } & { PKCS11: new () => Cryptoki }
