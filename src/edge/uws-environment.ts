/**
 * uWebSockets.js reads this once, when it is loaded: all headers of a request together, in bytes. Its default of 4,096 has no room for a token
 * of the longest kind and an envelope beside it.
 */
process.env.UWS_HTTP_MAX_HEADERS_SIZE = '16384';
