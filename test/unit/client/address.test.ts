import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf } from '../../../src/client/address.ts';

const failure = (text: string, isPlainFine = false): string => {
  try {
    return addressOf(text, isPlainFine);
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('the address of a relay', () => {
  it.each([
    ['wss://relay.example', 'wss://relay.example/'],
    ['https://relay.example/v1/ws#x', 'wss://relay.example/v1/ws'],
    ['WSS://Relay.Example:8443/v1/ws', 'wss://Relay.Example:8443/v1/ws'],
    [' wss://relay.example/ ', 'wss://relay.example/'],
    ['wss://r\u00e9lais.example/', 'wss://r\u00e9lais.example/'],
    ['http://localhost:1', 'ws://localhost:1/'],
    ['ws://a.b.localhost/', 'ws://a.b.localhost/'],
    ['ws://127.9.9.9:1/x', 'ws://127.9.9.9:1/x'],
    ['ws://[::1]:8080', 'ws://[::1]:8080/'],
    ['wss://[2001:db8::1]/', 'wss://[2001:db8::1]/'],
  ])('%s is %s', (text, address) => {
    expect(addressOf(text, false)).toBe(address);
  });

  it.each([
    ['wss://relay.example?token=x', 'insecure_url'],
    ['wss://relay.example/?', 'insecure_url'],
    ['wss://user:secret@relay.example', 'insecure_url'],
    ['wss://:secret@relay.example', 'insecure_url'],
    ['ws://relay.example', 'insecure_url'],
    ['ws://localhost@evil.example', 'insecure_url'],
    ['ws://localhost\\@evil.example', 'insecure_url'],
    ['ws://evil.example/.localhost', 'insecure_url'],
    ['ws://evil.example#.localhost', 'insecure_url'],
    ['ws://evil.example\\.localhost', 'connection_failed'],
    ['ws://evil.example\t.localhost', 'connection_failed'],
    ['ws://127.0.0.1.evil.example', 'insecure_url'],
    ['ws://127.0.0.1\n.evil.example', 'connection_failed'],
    ['ws://localhost.evil.example', 'insecure_url'],
    ['ws://evillocalhost', 'insecure_url'],
    ['ws://evil\uff0elocalhost', 'insecure_url'],
    ['ftp://127.0.0.1', 'connection_failed'],
    ['not a URL', 'connection_failed'],
    ['', 'connection_failed'],
    ['wss://', 'connection_failed'],
    ['wss:relay.example', 'connection_failed'],
    ['//relay.example', 'connection_failed'],
    ['javascript:alert(1)', 'connection_failed'],
  ])('%j is refused with %s', (text, code) => {
    expect(failure(text)).toBe(code);
  });

  it('is plain only where every parser of URLs finds this machine, whatever is written', () => {
    const piece = fc.constantFrom(
      'ws://',
      'localhost',
      '127.0.0.1',
      '[::1]',
      '.',
      '/',
      '\\',
      '@',
      '#',
      ':',
      '1',
      'evil',
      '\t',
      '%2e',
      '\u3002',
      '?',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const address = failure(`ws://${pieces.join('')}`);
        if (!address.startsWith('ws://') || !URL.canParse(address)) return;
        expect(new URL(address).hostname).toMatch(/^(?:.+\.)?localhost$|^127\.\d+\.\d+\.\d+$|^\[::1\]$/);
      }),
      { numRuns: 5000 },
    );
  });
});
