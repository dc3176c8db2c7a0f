import { refusal } from '../protocol/codes.ts';
import { faultOf, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { Exchange } from './exchange.ts';
import type { TemplatedApp } from './uws.ts';

/** Registers the admin listener's paths: metrics for Prometheus, liveness, readiness. Takes no token: keep it on a private address. */
export function addAdminRoutes(app: TemplatedApp, metrics: Metrics, isReady: () => boolean, logger: Logger): void {
  app.get('/metrics', (response, request) => {
    const exchange = new Exchange(response, request, []);
    metrics.scrape().then(
      (text) => exchange.send(200, text, { 'Content-Type': metrics.contentType }),
      (error: unknown) => {
        logger.error(faultOf(error), 'scrape failed');
        exchange.refuse(refusal('internal_error', 'the metrics could not be read'));
      },
    );
  });
  app.get('/livez', (response, request) => new Exchange(response, request, []).json(200, { status: 'live' }));
  app.get('/readyz', (response, request) => {
    const ready = isReady();
    new Exchange(response, request, []).json(ready ? 200 : 503, { status: ready ? 'ready' : 'draining' });
  });
  app.any('/*', (response, request) =>
    new Exchange(response, request, []).refuse(refusal('not_found', 'no such path')),
  );
}
