//! Actors in Zig, on top of ractor.c: a struct is the state, and its public functions are the messages.
//!
//!     const ractor = @import("ractor");
//!
//!     const Counter = struct {
//!         count: u64,
//!
//!         pub fn start(count: u64) Counter { return .{ .count = count }; }
//!         pub fn add(self: *Counter, n: u64) void { self.count += n; }
//!         pub fn get(self: *Counter) u64 { return self.count; }
//!     };
//!
//!     comptime { ractor.actor(Counter, .{}); }
//!
//! A function that returns nothing is a cast, and one that returns a value a call. `!void` and `!T` may fail: a call fails with the name of
//! the error, and a failed cast ends the actor. Arguments and replies are integers of 8 to 128 bits, f32, f64, bool and []const u8, which
//! is a text; fields are the same, but `Str` for a text. Everything else is in ractor.h, whose functions can be called from Zig as from C.

const std = @import("std");

/// A text in UTF-8, as C has it.
pub const Str = extern struct {
    ptr: ?[*]const u8 = null,
    len: usize = 0,

    pub fn of(text: []const u8) Str {
        return .{ .ptr = text.ptr, .len = text.len };
    }

    pub fn slice(self: Str) []const u8 {
        return if (self.ptr) |ptr| ptr[0..self.len] else "";
    }
};

/// The address of an actor.
pub const Pid = extern struct { node: u64, id: u64 };

/// What there is to say of an actor beside its messages.
pub const Options = struct {
    name: ?[:0]const u8 = null,
    version: [:0]const u8 = "0.1.0",
    documentation: [:0]const u8 = "",
    state_version: u32 = 0,
};

const Status = enum(c_int) { ok, later, pending, failed };
const Type = opaque {};
const Parameter = extern struct { name: ?[*:0]const u8, type: ?*const Type };
const Message = extern struct {
    name: [*:0]const u8,
    tag: ?[*:0]const u8,
    documentation: [*:0]const u8,
    parameters: [*]const Parameter,
    reply: ?*const Type,
};
const Run = fn (self: *anyopaque, values: [*]const *const anyopaque, reply: ?*anyopaque) callconv(.c) Status;
const Handler = extern struct { message: *const Message, run: *const Run };
const Field = extern struct { name: [*:0]const u8, tag: ?[*:0]const u8, type: *const Type, offset: usize, fallback: ?*const anyopaque };
const Bytes = extern struct { ptr: ?[*]const u8, len: usize };
const Hook = fn (self: *anyopaque) callconv(.c) Status;

/// As `ractor_actor` in ractor.h.
const Actor = extern struct {
    name: [*:0]const u8,
    version: [*:0]const u8,
    documentation: [*:0]const u8,
    state_version: u32,
    failed_casts: c_int = 0,
    reentrant: bool = false,
    self: *anyopaque,
    size: usize,
    start: [*]const Parameter,
    handlers: [*]const Handler,
    handler_count: usize,
    fields: [*]const Field,
    field_count: usize,
    schemas: ?*const anyopaque = null,
    schema_count: usize = 0,
    pre_start: *const fn (self: *anyopaque, argument: *const anyopaque) callconv(.c) Status,
    post_start: *const Hook = &nothing,
    post_stop: *const Hook = &nothing,
    on_event: *const fn (self: *anyopaque, event: *const anyopaque) callconv(.c) Status = &noEvent,
    post_reload: *const Hook = &nothing,
    snapshot: *const fn (self: *anyopaque, state: *Bytes) callconv(.c) Status = &snapshot,
    restore: *const fn (self: *anyopaque, state: Bytes, version: u32) callconv(.c) Status = &restore,
};

extern fn ractor_fail(format: [*:0]const u8, ...) Status;
extern fn ractor_portable_snapshot(state: *Bytes) Status;
extern fn ractor_portable_restore(state: Bytes) Status;
extern fn ractor_self_name(name: *Str) bool;
extern fn ractor_exit(reason: Str) noreturn;
extern fn ractor_trace_context(trace: *RawTrace) bool;

/// The name of this actor, if it has one.
pub fn selfName() ?[]const u8 {
    var name: Str = .{};
    return if (ractor_self_name(&name)) name.slice() else null;
}

const RawTrace = extern struct { parent: Str = .{}, state: Str = .{} };

/// A place in a trace, in the texts of W3C Trace Context.
pub const Trace = struct {
    /// Version, trace, span and flags.
    parent: []const u8,
    /// What makers of traces add; it may be empty.
    state: []const u8,
};

/// The span of the present handler, if the node traces, and something that is traced has led here.
pub fn traceContext() ?Trace {
    var trace: RawTrace = .{};
    return if (ractor_trace_context(&trace)) .{ .parent = trace.parent.slice(), .state = trace.state.slice() } else null;
}

/// Fails this actor at once.
pub fn exit(reason: []const u8) noreturn {
    ractor_exit(.of(reason));
}

fn nothing(_: *anyopaque) callconv(.c) Status {
    return .ok;
}

fn noEvent(_: *anyopaque, _: *const anyopaque) callconv(.c) Status {
    return .ok;
}

fn snapshot(_: *anyopaque, state: *Bytes) callconv(.c) Status {
    return ractor_portable_snapshot(state);
}

fn restore(_: *anyopaque, state: Bytes, _: u32) callconv(.c) Status {
    return ractor_portable_restore(state);
}

/// As C has the values of a type.
fn Raw(comptime T: type) type {
    return if (T == []const u8) Str else T;
}

fn fromRaw(comptime T: type, value: *const anyopaque) T {
    const raw: *const Raw(T) = @ptrCast(@alignCast(value));
    return if (T == []const u8) raw.slice() else raw.*;
}

fn typeOf(comptime T: type) *const Type {
    const name = if (T == []const u8 or T == Str) "string" else if (T == void) "unit" else @typeName(T);
    return @extern(*const Type, .{ .name = "ractor_type_" ++ name });
}

/// What a function returns if nothing goes wrong.
fn Returned(comptime function: anytype) type {
    const R = @typeInfo(@TypeOf(function)).@"fn".return_type.?;
    return switch (@typeInfo(R)) {
        .error_union => |either| either.payload,
        else => R,
    };
}

fn canFail(comptime function: anytype) bool {
    return @typeInfo(@typeInfo(@TypeOf(function)).@"fn".return_type.?) == .error_union;
}

/// Makes the library's view of `A`, and exports it. Call it once, within `comptime`.
pub fn actor(comptime A: type, comptime options: Options) void {
    const Made = struct {
        var self: A = undefined;
        var made: Actor = undefined;

        const info = @typeInfo(A).@"struct";
        const Start = @typeInfo(@TypeOf(A.start)).@"fn".param_types[0].?;
        const start_parameters = [_]Parameter{ .{ .name = "start", .type = typeOf(Start) }, .{ .name = null, .type = null } };

        fn preStart(me: *anyopaque, argument: *const anyopaque) callconv(.c) Status {
            const state: *A = @ptrCast(@alignCast(me));
            if (comptime canFail(A.start)) {
                state.* = A.start(fromRaw(Start, argument)) catch |wrong| return failure(wrong);
            } else {
                state.* = A.start(fromRaw(Start, argument));
            }
            return .ok;
        }

        fn failure(wrong: anyerror) Status {
            const name = @errorName(wrong);
            return ractor_fail("%.*s", @as(c_int, @intCast(name.len)), name.ptr);
        }

        fn isMessage(comptime name: []const u8) bool {
            return @typeInfo(@TypeOf(@field(A, name))) == .@"fn" and !std.mem.eql(u8, name, "start");
        }

        fn handler(comptime name: [:0]const u8) Handler {
            const function = @field(A, name);
            const R = Returned(function);
            const types = @typeInfo(@TypeOf(function)).@"fn".param_types;
            const Described = struct {
                const parameters = blk: {
                    var rows: [types.len]Parameter = undefined;
                    for (1..types.len) |i| rows[i - 1] = .{ .name = std.fmt.comptimePrint("{d}", .{i}), .type = typeOf(types[i].?) };
                    rows[types.len - 1] = .{ .name = null, .type = null };
                    break :blk rows;
                };
                const message = Message{
                    .name = name,
                    .tag = null,
                    .documentation = "",
                    .parameters = &parameters,
                    .reply = if (R == void) null else typeOf(R),
                };

                fn run(me: *anyopaque, values: [*]const *const anyopaque, reply: ?*anyopaque) callconv(.c) Status {
                    var arguments: std.meta.ArgsTuple(@TypeOf(function)) = undefined;
                    arguments[0] = @ptrCast(@alignCast(me));
                    inline for (1..types.len) |i| arguments[i] = fromRaw(types[i].?, values[i - 1]);
                    const returned = @call(.auto, function, arguments);
                    const value = if (comptime canFail(function)) returned catch |wrong| return failure(wrong) else returned;
                    if (R == void) return .ok;
                    const raw: *Raw(R) = @ptrCast(@alignCast(reply.?));
                    raw.* = if (R == []const u8) Str.of(value) else value;
                    return .ok;
                }
            };
            return .{ .message = &Described.message, .run = &Described.run };
        }

        const handlers = blk: {
            var rows: []const Handler = &.{};
            for (info.decl_names) |name| {
                if (isMessage(name)) rows = rows ++ [_]Handler{handler(name)};
            }
            break :blk rows;
        };

        const fields = blk: {
            var rows: []const Field = &.{};
            for (info.field_names, info.field_types) |name, T| {
                rows = rows ++ [_]Field{.{ .name = name, .tag = null, .type = typeOf(T), .offset = @offsetOf(A, name), .fallback = null }};
            }
            break :blk rows;
        };

        fn theActor() callconv(.c) *const Actor {
            const full = @typeName(A);
            const dot = comptime if (std.mem.lastIndexOfScalar(u8, full, '.')) |at| at + 1 else 0;
            made = .{
                .name = options.name orelse full[dot..],
                .version = options.version,
                .documentation = options.documentation,
                .state_version = options.state_version,
                .self = &self,
                .size = @sizeOf(A),
                .start = &start_parameters,
                .handlers = handlers.ptr,
                .handler_count = handlers.len,
                .fields = fields.ptr,
                .field_count = fields.len,
                .pre_start = &preStart,
            };
            return &made;
        }
    };
    @export(&Made.theActor, .{ .name = "ractor_the_actor" });
}
