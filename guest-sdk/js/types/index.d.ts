/**
 * Actors for ractor-host in JavaScript and TypeScript.
 *
 * A contract says what an actor understands; `implement` says what it does. Everything else here is for handlers: an instance of a
 * component is one actor, so these functions are about the actor that runs.
 *
 * @module
 */

// --- Types of messages and of state -------------------------------------------------------------------------------------------

declare const VALUE: unique symbol;

/** A type of a field of a state. */
export interface StateType<T> {
  /** Its name in every language: `u64`, `list<f64>`, `json<Order>`. */
  readonly name: string;
  /** In a state: the field may be missing in what other code saved, and is this then. */
  or(fallback: T): StateType<T>;
  /** In a state: the field's name in what is saved. Otherwise it is the field's own with its words in small letters, joined by `_`. */
  as(name: string): StateType<T>;
  /** @internal */
  readonly [VALUE]?: T;
}

/** A type of an argument or a reply. */
export interface Type<T> extends StateType<T> {
  /** As an argument: gives it a name, for tools and errors. */
  as(name: string): Type<T>;
  /** The bytes of a value. Throws `TypeMismatch`. */
  encode(value: T): Uint8Array;
  /** The value that bytes are. Throws `TypeMismatch`. */
  decode(bytes: Uint8Array): T;
}

/** A type that lists may have as elements. */
export interface Scalar<T> extends Type<T> {
  as(name: string): Scalar<T>;
  /** @internal */
  readonly element: unknown;
}

/** A number or a bigint for which there is a typed array. */
export interface Numeric<T, A> extends Scalar<T> {
  as(name: string): Numeric<T, A>;
  /** @internal */
  readonly typed?: A;
}

/** The value of a type: `ValueOf<typeof u64>` is `bigint`. */
export type ValueOf<T> = T extends StateType<infer V> ? V : never;

/** Bytes, a JSON value, or a value of the program that isn't of its type. */
export class TypeMismatch extends TypeError {}

/** An integer from 0 to 255. A list of them is `bytes`. */
export const u8: Numeric<number, Uint8Array>;
/** An integer from 0 to 65 535. */
export const u16: Numeric<number, Uint16Array>;
/** An integer from 0 to 4 294 967 295. */
export const u32: Numeric<number, Uint32Array>;
/** An integer from 0 to 2^64 - 1, as a bigint: `5n`. See `asNumber`. */
export const u64: Numeric<bigint, BigUint64Array>;
/** An integer from 0 to 2^128 - 1, as a bigint. */
export const u128: Scalar<bigint>;
/** An integer from -128 to 127. */
export const i8: Numeric<number, Int8Array>;
/** An integer from -32 768 to 32 767. */
export const i16: Numeric<number, Int16Array>;
/** An integer from -2^31 to 2^31 - 1. */
export const i32: Numeric<number, Int32Array>;
/** An integer from -2^63 to 2^63 - 1, as a bigint. See `asNumber`. */
export const i64: Numeric<bigint, BigInt64Array>;
/** An integer from -2^127 to 2^127 - 1, as a bigint. */
export const i128: Scalar<bigint>;
/** A number of 32 bits. What a number has more is rounded away. */
export const f32: Numeric<number, Float32Array>;
/** A number, as JavaScript's own. */
export const f64: Numeric<number, Float64Array>;
/** `true` or `false`. */
export const bool: Scalar<boolean>;
/** A text of exactly one code point: "a", "é", "🦀". */
export const char: Scalar<string>;
/** A text. Half of a surrogate pair is an error. */
export const string: Type<string>;
/** Bytes. */
export const bytes: Type<Uint8Array>;
/** Nothing: what a call returns that returns nothing. */
export const unit: Type<void>;

/** A list, as an array. */
export function list<T>(of: Scalar<T>): Type<T[]>;
/** In a state, a list of anything. */
export function list<T>(of: StateType<T>): StateType<T[]>;
/** A list of numbers as a typed array: `typedList(f64)` is a `Float64Array`. The bytes are those of `list`, and it is the fastest. */
export function typedList<T, A>(of: Numeric<T, A>): Type<A>;
/** `u64`, `i64`, `u128` or `i128` as a number. A value that a number can't hold exactly is an error. */
export function asNumber(type: Scalar<bigint>): Scalar<number>;
/**
 * A plain value as JSON. TypeScript believes that what arrives is a `T`.
 * @param name the name of the type in contracts
 * @param schema a JSON Schema, which the contract carries for others
 */
export function json<T = unknown>(name: string, schema?: object): Type<T>;
/** Bytes in the format `pot`, which Rust's `blanket_serde` writes. */
export function pot(name: string): Type<Uint8Array>;
/** Bytes whose format is the affair of the type of this name. */
export function opaque(name: string): Type<Uint8Array>;
/** In a state: what may be `undefined`. */
export function option<T>(of: StateType<T>): StateType<T | undefined>;
/** In a state: a Map. Its keys are integers, bool, char, string or bytes. */
export function map<K, V>(key: StateType<K>, value: StateType<V>): StateType<Map<K, V>>;

/** A field of a state that isn't saved. */
export interface Transient<T> {
  /** @internal */
  readonly make: () => T;
}
/** In a state: a field that isn't saved. After a reload it is what `make` makes, or undefined. */
export function transient<T>(make: () => T): Transient<T>;
export function transient<T>(): Transient<T | undefined>;

// --- Contracts ----------------------------------------------------------------------------------------------------------------

/** Arguments, as their types: one behind the other, or one object of named ones. */
export type Arguments = readonly Type<any>[] | readonly [Record<string, Type<any>>];

type Each<A extends readonly unknown[]> = { [K in keyof A]: ValueOf<A[K]> };

/** The values of arguments: of named ones, one object. */
export type Values<A> = A extends readonly [infer One]
  ? One extends StateType<infer V>
    ? [V]
    : [{ [K in keyof One]: ValueOf<One[K]> }]
  : A extends readonly unknown[]
    ? Each<A>
    : never;

interface Message {
  /** Says what the message does. */
  doc(text: string): this;
  /** Gives the message another tag on the wire than its name. */
  tag(tag: string): this;
}

/** A message without a reply. */
export interface Cast<A> extends Message {
  /** @internal */
  readonly kind?: "cast";
  /** @internal */
  readonly given?: A;
}

/** A message with a reply. */
export interface Call<A, R> extends Message {
  /** Says what type the reply has. Without it, that is `unit`. */
  returns<T>(reply: Type<T>): Call<A, T>;
  /** @internal */
  readonly kind?: "call";
  /** @internal */
  readonly given?: A;
  /** @internal */
  readonly replied?: (value: R) => R;
}

/** A message without a reply: `cast(u64)`, `cast({ n: u64, text: string })`. */
export function cast<A extends Record<string, Type<any>>>(named: A & NotAType): Cast<[A]>;
export function cast<A extends Type<any>[]>(...types: A): Cast<A>;
/** A message with a reply: `call(u64).returns(string)`. */
export function call<A extends Record<string, Type<any>>>(named: A & NotAType): Call<[A], void>;
export function call<A extends Type<any>[]>(...types: A): Call<A, void>;

/** @internal */
interface NotAType {
  encode?: Type<any>;
  name?: Type<any>;
}

export type Messages = Record<string, Cast<any> | Call<any, any>>;

/** What an actor understands. */
export interface Contract<M extends Messages = any, Start = any> {
  readonly name: string;
  readonly version: string;
  readonly stateVersion: number;
  readonly documentation: string;
  readonly messages: M;
  readonly start: Type<Start> | undefined;
}

/** Declares what an actor understands. The tag of a message is its name with a capital letter: `addAll` and `add_all` are `AddAll`. */
export function contract<const M extends Messages, Start = void>(declaration: {
  /** The actor's type. */
  name: string;
  /** The version of the code: "0.1.0" if it isn't given. */
  version?: string;
  /** The version of the state, 0 if it isn't given. Count it up whenever a state of the version before can't be restored as it is. */
  stateVersion?: number;
  /** What the actor is for. */
  doc?: string;
  /** The type of the start argument, if there is one. */
  start?: Type<Start>;
  /** The messages by name. */
  messages: M;
}): Contract<M, Start>;

// --- Actors -------------------------------------------------------------------------------------------------------------------

/** What a handler of a call returns: the reply, now or when a promise is fulfilled, or what `later` gives. */
export type Answer<R> = R | Later<R> | PromiseLike<R | Later<R>>;

/** What a handler of a cast, or a hook, returns: nothing, or a promise of nothing. */
export type Done = void | PromiseLike<void>;

/** A handler for each message. */
export type Handlers<M extends Messages, State> = {
  [K in keyof M]: M[K] extends Call<infer A, infer R>
    ? (state: State, ...given: Values<A>) => Answer<R>
    : M[K] extends Cast<infer A>
      ? (state: State, ...given: Values<A>) => Done
      : never;
};

/** The types of a state's fields. */
export type Fields = Record<string, StateType<any> | Transient<any>>;

/** The state that these fields make. */
export type StateOf<F> = { -readonly [K in keyof F]: F[K] extends Transient<infer T> ? T : ValueOf<F[K]> };

/** The life of an actor: its state, its hooks, and how it goes about messages. */
export interface Life<F extends Fields, M extends Messages, Start> {
  /** The fields of the state, for a reload: see docs/guests/javascript.md. */
  state: F;
  /** Makes the state. The actor doesn't live yet; if this throws, it never does. It can't be asynchronous: await in `postStart`. */
  start(start: Start): StateOf<F>;
  /** Runs once the actor is reachable, before its first message. If it throws, the actor fails. */
  postStart?(state: StateOf<F>): Done;
  /** Runs when the actor ends in an orderly way. It can't be asynchronous. */
  postStop?(state: StateOf<F>): void;
  /** Hears of children, and of the actors and groups that this actor monitors. If it throws, the actor fails. */
  event?(state: StateOf<F>, event: SupervisionEvent): Done;
  /** Runs in new code after its state was restored, before its first message. If it throws, the old code goes on. It can't be asynchronous. */
  postReload?(state: StateOf<F>): void;
  /**
   * Makes the state of one of another version, whose fields come by the names that they were saved under and as their saved types have
   * them. Without it, a state of another version is refused.
   */
  migrate?(saved: Record<string, any>, from: number): StateOf<F>;
  /** Replaces what saves the state. Such a state is for this code alone. */
  snapshot?(state: StateOf<F>): Uint8Array;
  /** Replaces what restores the state. */
  restore?(bytes: Uint8Array, from: number): StateOf<F>;
  /** What an error in a cast, in a timer or in a promise that nobody awaits does: fails the actor (that is the default), or is logged. */
  onCastError?: "fail" | "log";
  /**
   * Whether messages are handled while a handler awaits: none (that is the default), all, or while these handlers do. The state may have
   * changed after each `await` then.
   */
  reentrant?: boolean | (keyof M)[];
}

/** An actor that nobody started yet: what a module exports by default. */
export interface Program<M extends Messages = any, Start = any> {
  readonly contract: Contract<M, Start>;
}

/**
 * Says what an actor does: its life, and a handler for each message. Instead of a life, the function that makes the state is enough for an
 * actor whose code isn't replaced while it lives.
 */
export function implement<M extends Messages, Start, F extends Fields, State = StateOf<F>>(
  contract: Contract<M, Start>,
  life: ((start: Start) => State) | Life<F, M, Start>,
  handlers: Handlers<M, State>,
): Program<M, Start>;

/** A call that waits for its answer. */
export interface Reply<R> {
  /** False once it was answered, or the caller is known to have given up. */
  readonly waiting: boolean;
  /** Answers. False if the caller has given up meanwhile. */
  send(value: R): boolean;
  /** Fails the call for a reason, which the caller hears. */
  fail(reason: unknown): void;
  /** Leaves the call without an answer, which the caller hears at once. */
  drop(): void;
}

/** What a handler returns that answers later. */
export interface Later<R> {
  /** @internal */
  readonly take: (reply: Reply<R>) => void;
}

/** Answers later: `Get: (s) => later((reply) => { s.waiting.push(reply); })`. */
export function later<R>(take: (reply: Reply<R>) => void): Later<R>;

/** News of children, and of the actors and groups that this actor monitors. */
export type SupervisionEvent =
  | { kind: "started"; actor: Subject }
  | { kind: "terminated"; actor: Subject; reason: string | undefined }
  | { kind: "failed"; actor: Subject; reason: string | undefined }
  | { kind: "group"; group: string; scope: string | undefined; change: "joined" | "left"; actors: Pid[] };

/** The actor that an event is about. */
export interface Subject {
  pid: Pid;
  name: string | undefined;
}

// --- Other actors -------------------------------------------------------------------------------------------------------------

/** The address of an actor on this node. It means something on this node only: `address` gives bytes that others understand. */
export interface Pid {
  readonly node: number;
  readonly id: number;
}

/** An AbortSignal, whoever declares it. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason: any;
  throwIfAborted(): void;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

export interface CallOptions {
  /** How long to wait for a reply, in milliseconds. Without it, as long as the node lets any call wait. */
  timeout?: number;
  /** Gives up waiting when it is aborted. Blocking calls can't hear of that. */
  signal?: Signal;
}

type MethodOf<K> = Uncapitalize<K & string>;

/** A method for each message: a cast returns at once, a call gives a promise. Both throw `CallError`. */
export type Methods<M extends Messages> = {
  readonly [K in keyof M as MethodOf<K>]: M[K] extends Call<infer A, infer R>
    ? (...given: Values<A>) => Promise<R>
    : M[K] extends Cast<infer A>
      ? (...given: Values<A>) => void
      : never;
};

/** A method for each message: a call blocks the whole actor until the reply is there. */
export type BlockingMethods<M extends Messages> = {
  readonly [K in keyof M as MethodOf<K>]: M[K] extends Call<infer A, infer R>
    ? (...given: Values<A>) => R
    : M[K] extends Cast<infer A>
      ? (...given: Values<A>) => void
      : never;
};

/** A method for each cast, which starts a timer. */
export type TimerMethods<M extends Messages> = {
  readonly [K in keyof M as M[K] extends Call<any, any> ? never : MethodOf<K>]: M[K] extends Cast<infer A>
    ? (...given: Values<A>) => Timer
    : never;
};

/** An actor, wherever it lives: `counter.add(5n)` casts, `await counter.get()` calls. */
export type Ref<C extends Contract> = Methods<C["messages"]> & {
  readonly $pid: Pid;
  readonly $contract: C;
  /** The same actor, called with these options. */
  $with(options: CallOptions): Ref<C>;
  /** Calls that block: this actor does nothing else meanwhile, not even what it is called back for. */
  readonly $blocking: BlockingMethods<C["messages"]>;
  /** Casts after a number of milliseconds. The timer belongs to the node: it goes on when this actor's code is replaced. */
  $after(ms: number): TimerMethods<C["messages"]>;
  /** Casts again and again, for the first time after one period. */
  $every(ms: number): TimerMethods<C["messages"]>;
};

/** A timer of the node. */
export interface Timer {
  /** Ends the timer. False if it has ended already. */
  cancel(): boolean;
}

/** Why a message was not accepted, or a call got no reply: the words of `requests.call-error` in the WIT. */
export type CallErrorKind =
  | "unknown-actor"
  | "stopped"
  | "too-large"
  | "timeout"
  | "no-reply"
  | "would-deadlock"
  | "overloaded"
  | "denied"
  | "failed"
  | "too-many";

/** A message was not accepted, or a call got no reply. */
export class CallError extends Error {
  constructor(kind: CallErrorKind, message?: string);
  readonly kind: CallErrorKind;
}

/** The actor failed the call, for this reason, and lives on. Thrown in a handler, it fails the handler's own call with exactly this text. */
export class CallFailed extends CallError {
  constructor(reason: string);
  readonly reason: string;
}

/** Why a child was not started. */
export class SpawnError extends Error {
  constructor(kind: SpawnError["kind"], detail?: string);
  readonly kind: "denied" | "unknown-module" | "name-taken" | "too-many" | "failed";
  /** Why the child failed. */
  readonly detail: string | undefined;
}

/** Why an actor isn't monitored. */
export class MonitorError extends Error {
  constructor(kind: MonitorError["kind"]);
  readonly kind: "unknown-actor" | "too-many";
}

/** Why a timer wasn't started. */
export class TimerError extends Error {
  constructor(kind: TimerError["kind"]);
  readonly kind: "too-many" | "too-large" | "denied";
}

/** This actor. */
export const me: {
  readonly pid: Pid;
  /** Its name in node.toml, or that its parent gave it. */
  readonly name: string | undefined;
  /** The full name of its node, `name@hostname`. */
  readonly node: string;
  /** This actor as others see it: `me.as(Counter).$after(100).add(1n)`. */
  as<C extends Contract>(contract: C): Ref<C>;
};

/** The actor of this name: in this actor's family, on this node, or on a connected one; `name@node@host` asks that node alone. */
export function find<C extends Contract>(name: string, contract: C): Ref<C> | undefined;
/** As `find`; throws if there is none. */
export function findOrThrow<C extends Contract>(name: string, contract: C): Ref<C>;
/** The actor of a pid. */
export function ref<C extends Contract>(pid: Pid, contract: C): Ref<C>;
/** An actor as bytes that mean the same actor on every node. None if its node is not connected. */
export function address(actor: Ref<any> | Pid): Uint8Array | undefined;
/** The actor that an address means, if it can be reached. */
export function resolve<C extends Contract>(address: Uint8Array, contract: C): Ref<C> | undefined;

/** Adds this actor to a process group. */
export function join(group: string, scope?: string): void;
/** Takes this actor out of a group. */
export function leave(group: string, scope?: string): void;
/** The members of a group, wherever they live. */
export function members<C extends Contract>(group: string, contract: C, scope?: string): Ref<C>[];
/** The members of a group that live on this node. */
export function localMembers<C extends Contract>(group: string, contract: C, scope?: string): Ref<C>[];
/** The groups that have members. */
export function groups(scope?: string): string[];
/** Asks for events about a group. */
export function monitorGroup(group: string, scope?: string): void;
/** Ends what `monitorGroup` began. */
export function demonitorGroup(group: string, scope?: string): void;

/** How a child is started; `start` is there if its contract has a start argument. */
export type SpawnOptions<Start> = {
  /** Its name in the family. */
  name?: string;
  /** Groups that it is in from the start. */
  groups?: string[];
  /** What the node does when it fails ("transient") or ends at all ("permanent"). If it isn't given: nothing ("temporary"). */
  restart?: "temporary" | "transient" | "permanent";
} & ([Start] extends [void] ? { start?: undefined } : { start: Start });

/** Starts a child: an actor of a module of node.toml, which this actor supervises. Throws `SpawnError`. */
export function spawn<M extends Messages, Start>(
  module: string,
  contract: Contract<M, Start>,
  ...options: [Start] extends [void] ? [options?: SpawnOptions<Start>] : [options: SpawnOptions<Start>]
): Ref<Contract<M, Start>>;
/** The children that live. */
export function children(): Pid[];
/** The supervisor of this actor, if it has one. */
export function supervisor(): Pid | undefined;
/** Ends this actor after the present message. */
export function stop(reason?: string): void;
/** Fails this actor at once. */
export function exit(reason: string): never;
/** Ends this actor after a number of milliseconds. */
export function stopAfter(ms: number): Timer;
/** Ends a child after its present message. False if it is no living child of this actor. */
export function stopChild(child: Ref<any> | Pid, reason?: string): boolean;
/** Ends a child at once. False if it is no living child of this actor. */
export function killChild(child: Ref<any> | Pid): boolean;
/** Asks for an event at the end of an actor. Throws `MonitorError`. */
export function monitor(actor: Ref<any> | Pid): void;
/** Ends what `monitor` began. */
export function demonitor(actor: Ref<any> | Pid): void;

// --- Everything else ----------------------------------------------------------------------------------------------------------

/** Waits: `await sleep(100)`. If the signal is aborted, the promise is rejected with its reason. */
export function sleep(ms: number, options?: { signal?: Signal }): Promise<void>;
/** A setting of this actor: a key of `[actors.config]` in node.toml, as text. */
export function config(key: string): string | undefined;
/** All settings of this actor. */
export function configEntries(): Record<string, string>;
/** The metadata that came with the present message. */
export function metadata(): Uint8Array | undefined;

/** A place in a trace, in the texts of W3C Trace Context. */
export interface TraceContext {
  /** Version, trace, span and flags, e.g. `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`. */
  readonly traceparent: string;
  /** What makers of traces add; empty if there is nothing. */
  readonly tracestate: string;
}
/**
 * The span of the present handler, as the parent of spans of your own, or for the headers of a request. What the handler sends to actors
 * carries it anyway. Undefined if the node doesn't trace, or nothing that is traced has led here.
 */
export function traceContext(): TraceContext | undefined;

/** Writes to the node's log, with fields. `console` writes there too. */
export const log: Record<"trace" | "debug" | "info" | "warn" | "error", (message: unknown, fields?: Record<string, unknown>) => void>;
