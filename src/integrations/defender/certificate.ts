import { createPrivateKey, X509Certificate } from 'node:crypto';

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN (?:RSA )?PRIVATE KEY-----[\s\S]+?-----END (?:RSA )?PRIVATE KEY-----/;

export interface ClientCertificate {
  /** SHA-256 of the certificate, hexadecimal. */
  thumbprintSha256: string;
  /** PKCS #8, PEM. */
  privateKey: string;
  /** The certificate and what follows it in the file, PEM: sent along, so that a renewed one needs no registration. */
  x5c: string;
}

/**
 * Reads a PEM text with a certificate (its chain may follow) and its unencrypted private key, in any order.
 * Throws a TypeError that says what is missing and shows nothing of the key.
 */
export function readClientCertificate(pem: string): ClientCertificate {
  const certificates = pem.match(CERTIFICATES) ?? [];
  const [first] = certificates;
  const key = PRIVATE_KEY.exec(pem)?.[0];
  if (first === undefined) throw new TypeError('the PEM text holds no certificate');
  if (key === undefined) throw new TypeError('the PEM text holds no unencrypted private key');
  const certificate = parsed('certificate', () => new X509Certificate(first));
  const privateKey = parsed('private key', () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new TypeError('the private key does not belong to the (first) certificate');
  }
  return {
    thumbprintSha256: certificate.fingerprint256.replaceAll(':', ''),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    x5c: certificates.join('\n'),
  };
}

/** OpenSSL's own errors are dropped: nobody can promise what they quote. */
function parsed<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new TypeError(`the ${what} in the PEM text cannot be read`);
  }
}
