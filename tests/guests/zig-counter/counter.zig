//! A counter in Zig, with the SDK for C.

const ractor = @import("ractor");

pub const Counter = struct {
    count: u64,

    pub fn start(count: u64) Counter {
        return .{ .count = count };
    }

    /// Counts up by a number. At the largest one it stays where it is.
    pub fn add(self: *Counter, n: u64) void {
        self.count +|= n;
    }

    pub fn get(self: *Counter) u64 {
        return self.count;
    }

    pub fn name(_: *Counter) []const u8 {
        return ractor.selfName() orelse "";
    }

    pub fn crash(_: *Counter, reason: []const u8) void {
        ractor.exit(reason);
    }
};

comptime {
    ractor.actor(Counter, .{ .version = "1.0.0", .documentation = "Counts up from its start argument." });
}
