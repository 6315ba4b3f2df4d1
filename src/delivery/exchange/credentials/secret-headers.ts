/**
 * Which headers of an endpoint hold a credential, judged by their names: their values are neither
 * listed nor logged.
 */

const SECRET_NAME = /auth|key|token|secret|cookie|pass|credential/i;

export function isSecretHeader(name: string): boolean {
	return SECRET_NAME.test(name);
}
