import { describe, expect, it } from 'vitest';
import { CLOSE_CODE, ERROR_STATUS, refusal } from '../../../src/protocol/codes.ts';
import { CLIENT_SHAPES, FrameType, RELAY_SHAPES } from '../../../src/protocol/frames.ts';
import { rows, section } from './document.ts';

describe('the tables of the protocol', () => {
  it('hold every error code of the document with its status, and no other', () => {
    const documented = rows(12).map(([status, code]) => [code?.replaceAll('`', ''), Number(status)]);
    expect(Object.entries(ERROR_STATUS)).toEqual(documented);
  });

  it('hold every close code of the document, and no other', () => {
    const documented = [...section(13).matchAll(/^### (\d{4}) (\w+)$/gm)].map(([, code, name]) => [name, Number(code)]);
    expect(Object.entries(CLOSE_CODE)).toEqual(documented);
  });

  it('hold every frame type of the document, and no other', () => {
    expect(Object.entries(FrameType)).toEqual(rows(2).map(([type, name]) => [name, Number(type)]));
  });

  it.each(rows(2).map(([type, name, direction, array]) => ({ type, name, direction, array })))(
    'give $name as many elements as the document',
    ({ type, direction, array }) => {
      const elements = (array ?? '').split(',').length - 1;
      const fromClient = CLIENT_SHAPES[Number(type)];
      const fromRelay = RELAY_SHAPES[Number(type)];
      if (direction === 'to the relay') expect([fromClient?.length, fromRelay]).toEqual([elements, undefined]);
      else expect([fromClient, fromRelay?.length]).toEqual([undefined, elements]); // MESSAGE is read in place by the relay
    },
  );

  it('let the status follow from the code', () => {
    expect(refusal('too_fast', 'why')).toEqual({ status: 429, code: 'too_fast', detail: 'why' });
  });
});
