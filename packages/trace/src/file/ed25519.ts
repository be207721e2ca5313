import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { CheckpointSigner, CheckpointVerifier } from "../checkpoints.js";

/**
 * Signs checkpoints with an Ed25519 key, in PEM (PKCS #8) or as a `KeyObject`. Its `keyId` is the SHA-256 of the public key (DER,
 * SPKI).
 * @throws TypeError when it is no such key
 */
export function createEd25519Signer(privateKey: string | KeyObject): CheckpointSigner {
  const key = ed25519Key("private", privateKey, createPrivateKey);
  return { keyId: keyIdOf(createPublicKey(key)), sign: (message) => new Uint8Array(sign(null, message, key)) };
}

/**
 * Verifies checkpoints that {@link createEd25519Signer} signed, by the public key, in PEM (SPKI) or as a `KeyObject`.
 * @throws TypeError when it is no such key
 */
export function createEd25519Verifier(publicKey: string | KeyObject): CheckpointVerifier {
  const key = ed25519Key("public", publicKey, createPublicKey);
  return { keyId: keyIdOf(key), verify: (message, signature) => verify(null, message, key, signature) };
}

function ed25519Key(
  type: "private" | "public",
  source: string | KeyObject,
  read: (pem: string) => KeyObject,
): KeyObject {
  let key: KeyObject;
  try {
    // A private key in PEM is taken for a public one by Node, which could put it where it does not belong.
    if (typeof source === "string" && type === "public" && source.includes("PRIVATE KEY")) throw new Error("private");
    key = typeof source === "string" ? read(source) : source;
  } catch (cause) {
    throw new TypeError(`the key is not a ${type} Ed25519 key`, { cause });
  }
  if (key.type !== type || key.asymmetricKeyType !== "ed25519") {
    throw new TypeError(`the key is not a ${type} Ed25519 key`);
  }
  return key;
}

function keyIdOf(publicKey: KeyObject): string {
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
}
