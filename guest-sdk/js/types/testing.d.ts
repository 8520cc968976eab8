/**
 * Actors under a test runner (`node --test`, for TypeScript `npx ractor-guest test`), without WebAssembly.
 *
 * The same code runs as in a component: messages are encoded and decoded, handlers that await hold the mailbox, and what an actor sends
 * goes to other actors of the node. Time stands still until a test moves it. All actors share one JavaScript engine, so variables of a
 * module are shared too; in a component each actor has its own.
 *
 * @module
 */
import type { Answer, Call, Cast, Contract, Messages, Methods, Pid, Program, Values } from "./index.js";

export interface LogEntry {
  /** The actor's name. */
  actor: string | undefined;
  level: "trace" | "debug" | "info" | "warn" | "error";
  target: string;
  message: string;
  fields: Record<string, string>;
}

export interface SentMessage {
  from: string | undefined;
  to: string | undefined;
  /** The tag. */
  message: string;
  /** The arguments in order, of named ones the values; bytes if they are none of the receiver's contract. */
  args: unknown[] | Uint8Array;
}

/** What a test holds of an actor. A cast returns before it is handled: `await node.idle()`, or call, to wait for that. */
export type TestActor<M extends Messages = any> = Methods<M> & {
  readonly $pid: Pid;
  readonly $name: string | undefined;
  /** The state itself. */
  readonly $state: any;
  readonly $alive: boolean;
  /** Why it failed. */
  readonly $failure: string | undefined;
  /** How many of its timers run. */
  readonly $timers: number;
  /** Stops it in an orderly way. */
  $stop(reason?: string): Promise<void>;
  /** Replaces its code, by default by itself, with its state. Throws why the state can't be saved or restored. */
  $reload(program?: Program): Promise<void>;
  /** What is saved of its state, as JSON. */
  $snapshot(): any;
};

type ArgumentsOf<T> = T extends Call<infer A, any> ? Values<A> : T extends Cast<infer A> ? Values<A> : never;

/** A message that a probe got. */
export type Received<M extends Messages> = { [K in keyof M]: { message: K; args: ArgumentsOf<M[K]> } }[keyof M];

/** Answers of a probe: what it returns for a message. */
export type Answers<M extends Messages> = {
  [K in keyof M]?: M[K] extends Call<infer A, infer R> ? (...given: Values<A>) => Answer<R> : (...given: ArgumentsOf<M[K]>) => void;
};

export type StartOptions<Start> = {
  name?: string;
  config?: Record<string, string>;
  groups?: string[];
} & ([Start] extends [void] ? { start?: undefined } : { start: Start });

export class TestNode {
  /** `modules` are what actors may spawn. */
  constructor(options?: { name?: string; modules?: Record<string, Program> });
  /** The full name, "test@localhost" unless it is given. */
  readonly name: string;
  /** What actors logged, `console` included. */
  readonly log: LogEntry[];
  /** What actors sent to each other. */
  readonly sent: SentMessage[];
  /** Starts an actor. Throws why it doesn't start. */
  start<M extends Messages, Start>(
    program: Program<M, Start>,
    ...options: [Start] extends [void] ? [options?: StartOptions<Start>] : [options: StartOptions<Start>]
  ): Promise<TestActor<M>>;
  /** An actor that records what it gets, and answers as it is told. A call that it has no answer for is failed. */
  probe<M extends Messages>(
    name: string,
    contract: Contract<M, any>,
    answers?: Answers<M>,
    options?: { groups?: string[] },
  ): Promise<TestActor<M> & { readonly received: Received<M>[] }>;
  /** Waits until no actor has anything to do. Time doesn't pass. */
  idle(): Promise<void>;
  /** Lets time pass, in milliseconds, with all that it brings. */
  advance(ms: number): Promise<void>;
}

