import { refusal } from '../protocol/codes.ts';
import { faultOf, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { Exchange } from './exchange.ts';
import { createApp, type TemplatedApp } from './uws.ts';

/** What the admin listener's paths need of the relay. */
export interface AdminPorts {
  readonly metrics: Metrics;
  readonly isReady: () => boolean;
  readonly logger: Logger;
}

/** An app with the admin listener's paths: metrics for Prometheus, liveness, readiness. Takes no token: keep it on a private address. */
export function adminApp({ metrics, isReady, logger }: AdminPorts): TemplatedApp {
  const app = createApp(undefined);
  /** Serves a path to GET and HEAD. */
  function on(path: string, answer: (exchange: Exchange) => void): void {
    app.any(path, (response, request) => {
      const exchange = new Exchange(response, request);
      const method = request.getMethod();
      if (exchange.malformed !== null) exchange.refuse(exchange.malformed);
      else if (method === 'get' || method === 'head') answer(exchange);
      else exchange.refuse(refusal('method_not_allowed', 'this path takes GET, HEAD'), { Allow: 'GET, HEAD' });
    });
  }

  on('/metrics', (exchange) => {
    metrics.scrape().then(
      (text) => exchange.send(200, text, { 'Content-Type': metrics.contentType }),
      (error: unknown) => {
        logger.error(faultOf(error), 'scrape failed');
        exchange.refuse(refusal('internal_error', 'the metrics could not be read'));
      },
    );
  });
  on('/livez', (exchange) => exchange.json(200, { status: 'live' }));
  on('/readyz', (exchange) => {
    const ready = isReady();
    exchange.json(ready ? 200 : 503, { status: ready ? 'ready' : 'draining' });
  });
  app.any('/*', (response, request) => new Exchange(response, request).refuse(refusal('not_found', 'no such path')));
  return app;
}
