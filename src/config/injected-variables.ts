/** A service's name as Kubernetes and Docker write it ahead of a variable: one whose name begins with mayfly has variables that begin as ours do. */
const SERVICE = 'MAYFLY(?:_[A-Z0-9]+)*';
const URL = /^(?:tcp|udp|sctp):\/\/[^\s/]+:\d{1,5}$/;
const PORT = /^\d{1,5}$/;
const HOST = /^[\da-fA-F.:]+$/;

/** What Kubernetes sets for each service of a namespace, and Docker for each linked container: names, and what their values look like. */
const INJECTED: readonly (readonly [name: RegExp, value: RegExp])[] = [
  [new RegExp(`^${SERVICE}_SERVICE_HOST$`), HOST],
  [new RegExp(`^${SERVICE}_SERVICE_PORT(?:_[A-Z0-9_]+)?$`), PORT],
  [new RegExp(`^${SERVICE}_PORT(?:_\\d{1,5}_(?:TCP|UDP|SCTP))?$`), URL],
  [new RegExp(`^${SERVICE}_PORT_\\d{1,5}_(?:TCP|UDP|SCTP)_PROTO$`), /^(?:tcp|udp|sctp)$/],
  [new RegExp(`^${SERVICE}_PORT_\\d{1,5}_(?:TCP|UDP|SCTP)_PORT$`), PORT],
  [new RegExp(`^${SERVICE}_PORT_\\d{1,5}_(?:TCP|UDP|SCTP)_ADDR$`), HOST],
  [new RegExp(`^${SERVICE}_NAME$`), /^\/[^/\s]+\/[^/\s]+$/],
];

/** Whether a variable was set by Kubernetes for a service, or by Docker for a linked container, and so is no setting. */
export function isInjected(variable: string, value: string): boolean {
  return INJECTED.some(([name, shape]) => name.test(variable) && shape.test(value));
}
