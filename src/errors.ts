/** One thing wrong with the configuration: where, what was found (never a secret), what would do. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/** The configuration cannot be used. Lists every problem; exit status 78 (EX_CONFIG). */
export class ConfigError extends Error {
  readonly code = 'config_invalid';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    super(problems.map(({ path, message }) => `${path}: ${message}`).join('\n'), options);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** The relay cannot start or go on for a reason outside the configuration; `code` is constant. */
export class RelayError extends Error {
  readonly code: 'listen_failed' | 'server_unavailable' | 'token_unusable' | 'key_unusable' | 'connection_failed';

  constructor(code: RelayError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RelayError';
    this.code = code;
  }
}
