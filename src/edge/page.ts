/** The page at `/`: says what answers here, and nothing else. */
export const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Mayfly</title>
<h1>Mayfly</h1>
<p>A transient-only message relay. Clients connect to <code>/v1/ws</code> with the WebSocket subprotocol <code>mayfly.v1</code>.
Nothing that passes here is kept.</p>
</html>
`;

/** Its headers: no script, no style from elsewhere, no frame around it. */
export const PAGE_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
} as const;
