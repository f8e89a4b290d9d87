import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { SMTPServer } from 'smtp-server';

/** One mail as it arrived. */
export interface SunkMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly source: string;
  readonly isSecure: boolean;
  readonly user: string | null;
  /** What the client called itself. */
  readonly hello: string;
}

export interface MailSinkOptions {
  readonly tls?: 'starttls' | 'implicit' | 'off';
  /** Who may log in, and with what; without it nobody is asked to. */
  readonly account?: { readonly user: string; readonly password: string };
  /** The reply to a recipient, such as `550 5.1.1 no such user`; null takes it. */
  readonly answerRecipient?: (address: string) => string | null;
}

/** Our own certificate, of localhost and 127.0.0.1, and its own authority. */
export const certificateFile = resolve(import.meta.dirname, '../fixtures/tls/localhost.crt');
const key = readFileSync(resolve(import.meta.dirname, '../fixtures/tls/localhost.key'));
const cert = readFileSync(certificateFile);

/** A real SMTP server on a port of its own that writes down what it takes. */
export class MailSink implements AsyncDisposable {
  readonly mails: SunkMail[] = [];
  /** Passwords as they were given, right or wrong. */
  readonly passwords: string[] = [];
  readonly #server: SMTPServer;

  private constructor({ tls = 'starttls', account, answerRecipient = () => null }: MailSinkOptions) {
    this.#server = new SMTPServer({
      key,
      cert,
      secure: tls === 'implicit',
      allowInsecureAuth: true,
      hideSTARTTLS: tls !== 'starttls',
      disabledCommands: [...(tls === 'off' ? ['STARTTLS'] : []), ...(account === undefined ? ['AUTH'] : [])],
      authOptional: account === undefined,
      disableReverseLookup: true,
      closeTimeout: 100,
      onAuth: ({ username, password }, _session, done) => {
        this.passwords.push(password ?? '');
        const isKnown = username === account?.user && password === account?.password;
        done(isKnown ? null : replyError(`535 5.7.8 no, not with ${password}`), { user: username });
      },
      onRcptTo: ({ address }, _session, done) => {
        const reply = answerRecipient(address);
        done(reply === null ? null : replyError(reply));
      },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope;
          this.mails.push({
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            source: Buffer.concat(chunks).toString('utf8'),
            isSecure: session.secure,
            user: (session.user as string | undefined) ?? null,
            hello: String(session.hostNameAppearsAs),
          });
          done(null);
        });
      },
    });
    // A client that breaks off is part of the tests.
    this.#server.on('error', () => {});
  }

  static async open(options: MailSinkOptions = {}): Promise<MailSink> {
    const sink = new MailSink(options);
    await new Promise<void>((done) => sink.#server.listen(0, '127.0.0.1', () => done()));
    return sink;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  get openConnections(): number {
    return this.#server.connections.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((done) => this.#server.close(() => done()));
  }
}

function replyError(reply: string): Error {
  return Object.assign(new Error(reply.slice(4)), { responseCode: Number(reply.slice(0, 3)) });
}

/** Talks SMTP word for word as told: the answer to each line of the client, null to cut the connection. */
export class NastyMailServer implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();

  private constructor(answer: (line: string) => string | null, dripMs: number) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      const say = (text: string | null) => {
        if (text === null) socket.destroy();
        else if (dripMs === 0) socket.write(text);
        else this.#drip(socket, { text, everyMs: dripMs });
      };
      say('220 nasty ESMTP\r\n');
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        for (const line of chunk.split('\r\n').filter((part) => part !== '')) {
          this.lines.push(line);
          say(answer(line));
        }
      });
    });
  }

  static async open(answer: (line: string) => string | null, { dripMs = 0 } = {}): Promise<NastyMailServer> {
    const server = new NastyMailServer(answer, dripMs);
    await new Promise<void>((done) => server.#server.listen(0, '127.0.0.1', () => done()));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((done) => this.#server.close(() => done()));
  }

  /** One byte at a time, and never the last. */
  #drip(socket: Socket, { text, everyMs }: { text: string; everyMs: number }): void {
    let at = 0;
    const timer = setInterval(() => socket.write(text[at++] ?? '-'), everyMs);
    this.#timers.add(timer);
  }
}
