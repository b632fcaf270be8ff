import { Tokenizer, TokenParser, TokenType } from '@streamparser/json';

/** What to do with a member of an object: look at its own members, read it as a value, or pass over it. */
export type Choice = 'enter' | 'take' | 'skip';

export interface Picking {
  /** Asked for every member whose parents were entered. The path is that of the member, from the root. */
  choose(path: readonly string[]): Choice;
  /** A member that was taken. */
  taken(path: readonly string[], value: unknown): void;
  /** The end of an object that was entered. */
  left(path: readonly string[]): void;
}

/**
 * Reads chosen members of one JSON object of any size, piece by piece: only one taken value is in memory at a time.
 * What is passed over is read as tokens, and no value is made of it.
 */
export class JsonPicker {
  private readonly tokenizer = new Tokenizer({ stringBufferSize: 64 * 1024 });
  // One value after the other, with nothing between them.
  private readonly builder = new TokenParser({ paths: ['$'], separator: '' });
  private readonly path: string[] = [];
  private expected: 'root' | 'key or end' | 'key' | 'colon' | 'value' | 'comma or end' | 'nothing' = 'root';
  /** How deep the value is that is being taken or passed over; 0: an entered object itself is being read. */
  private depth = 0;
  private taking = false;

  constructor(private readonly picking: Picking) {
    this.tokenizer.onToken = ({ token, value }) => this.token(token, value);
    this.builder.onValue = ({ value }) => picking.taken(this.path, value);
    const raise = (error: Error) => {
      throw error;
    };
    this.tokenizer.onError = raise;
    this.builder.onError = raise;
  }

  /** @throws Error where the text is no JSON object. */
  public write(chunk: Uint8Array): void {
    this.tokenizer.write(chunk);
  }

  /** @throws Error when the object is not whole. */
  public end(): void {
    if (this.expected !== 'nothing') {
      throw new Error('it ends too early');
    }
  }

  private token(token: TokenType, value: unknown): void {
    if (this.depth > 0) {
      this.within(token, value);
      return;
    }
    switch (this.expected) {
      case 'root':
        return this.need(token === TokenType.LEFT_BRACE, 'key or end');
      case 'key or end':
      case 'key':
        if (token === TokenType.RIGHT_BRACE && this.expected === 'key or end') {
          return this.leave();
        }
        this.path.push(String(value));
        return this.need(token === TokenType.STRING, 'colon');
      case 'colon':
        return this.need(token === TokenType.COLON, 'value');
      case 'value':
        return this.member(token, value);
      case 'comma or end':
        if (token === TokenType.RIGHT_BRACE) {
          return this.leave();
        }
        return this.need(token === TokenType.COMMA, 'key');
      case 'nothing':
        return this.need(false, 'nothing');
    }
  }

  private need(right: boolean, next: typeof this.expected): void {
    if (!right) {
      throw new Error(`unexpected text${this.path.length > 0 ? ` at ${this.path.join('.')}` : ''}`);
    }
    this.expected = next;
  }

  private member(token: TokenType, value: unknown): void {
    const opens = token === TokenType.LEFT_BRACE || token === TokenType.LEFT_BRACKET;
    this.need(opens || token >= TokenType.TRUE, 'comma or end');
    const choice = this.picking.choose(this.path);
    if (token === TokenType.LEFT_BRACE && choice === 'enter') {
      this.expected = 'key or end';
    } else if (opens) {
      this.taking = choice === 'take';
      this.within(token, value);
    } else {
      if (choice === 'take') {
        this.picking.taken(this.path, value);
      }
      this.path.pop();
    }
  }

  private within(token: TokenType, value: unknown): void {
    if (this.taking) {
      this.builder.write({ token, value } as Parameters<TokenParser['write']>[0]);
    }
    if (token === TokenType.LEFT_BRACE || token === TokenType.LEFT_BRACKET) {
      this.depth += 1;
    } else if (token === TokenType.RIGHT_BRACE || token === TokenType.RIGHT_BRACKET) {
      this.depth -= 1;
      if (this.depth === 0) {
        this.path.pop();
      }
    }
  }

  private leave(): void {
    this.picking.left(this.path);
    this.expected = this.path.pop() === undefined ? 'nothing' : 'comma or end';
  }
}
