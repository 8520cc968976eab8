// What a Kitchen understands.
#ifndef MESSAGES_H
#define MESSAGES_H

#define STATE(FIELD) FIELD(u64, count) FIELD(string, note) FIELD(i128, big) FIELD(list_u64, marks)

#define MESSAGES(CAST, CALL) \
    CAST(add, "Adds to the count.", (u64, n)) \
    CAST(add_big, "Adds to the big number.", (i128, n)) \
    CAST(mark, "Makes a mark.", (u64, n)) \
    CAST(set_note, "Keeps a text.", (string, text)) \
    CAST(throw_cast, "Fails.", (string, text)) \
    CAST(trap, "Ends the instance.") \
    CAST(log, "Writes to the log.", (string, level), (string, text)) \
    CAST(print, "Writes to stdout.", (string, text)) \
    CAST(after, "Makes a mark after a while.", (u64, ms), (u64, n)) \
    CAST(every, "Makes a mark again and again.", (u64, ms), (u64, n)) \
    CAST(cancel_timers, "Ends the timers of `Every`.") \
    CAST(join, "Joins a group.", (string, group)) \
    CAST(leave, "Leaves a group.", (string, group)) \
    CAST(monitor_group, "Monitors a group.", (string, group)) \
    CAST(monitor_actor, "Monitors an actor.", (string, name)) \
    CAST(stop_self, "Stops.", (string, reason)) \
    CAST(exit_now, "Fails at once.", (string, reason)) \
    CAST(cast_other, "Adds to the count of another kitchen.", (string, name), (u64, n)) \
    CAST(forget, "Demonitors an actor.", (string, name)) \
    CAST(release, "Answers all calls that were kept.", (string, text)) \
    CALL(echo_u8, u8, (u8, value)) \
    CALL(echo_u16, u16, (u16, value)) \
    CALL(echo_u32, u32, (u32, value)) \
    CALL(echo_u64, u64, (u64, value)) \
    CALL(echo_u128, u128, (u128, value)) \
    CALL(echo_i8, i8, (i8, value)) \
    CALL(echo_i16, i16, (i16, value)) \
    CALL(echo_i32, i32, (i32, value)) \
    CALL(echo_i64, i64, (i64, value)) \
    CALL(echo_i128, i128, (i128, value)) \
    CALL(echo_f32, f32, (f32, value)) \
    CALL(echo_f64, f64, (f64, value)) \
    CALL(echo_bool, bool, (bool, value)) \
    CALL(echo_char, char, (char, value)) \
    CALL(echo_string, string, (string, value)) \
    CALL(echo_bytes, bytes, (bytes, value)) \
    CALL(echo_list_u16, list_u16, (list_u16, value)) \
    CALL(echo_list_u64, list_u64, (list_u64, value)) \
    CALL(echo_list_i64, list_i64, (list_i64, value)) \
    CALL(echo_list_i128, list_i128, (list_i128, value)) \
    CALL(echo_list_f32, list_f32, (list_f32, value)) \
    CALL(echo_list_f64, list_f64, (list_f64, value)) \
    CALL(echo_list_bool, list_bool, (list_bool, value)) \
    CALL(echo_list_char, list_char, (list_char, value)) \
    CALL(echo_proto, proto_order, "Orders one more.", (proto_order, value)) \
    CALL(echo_json, json_order, "Orders one more.", (json_order, value)) \
    CALL(two, string, "Puts two arguments together.", (u64, number), (string, text)) \
    CALL(nothing, unit, "Does nothing.") \
    CALL(get, u64, "Replies with the count.") \
    CALL(get_big, i128, "Replies with the big number.") \
    CALL(get_marks, list_u64, "Replies with the marks.") \
    CALL(get_note, string, "Replies with the text.") \
    CALL(later, string, "Replies after a while.", (u64, ms), (string, text)) \
    CALL(keep, string, "Waits for `Release`.") \
    CALL(drop_it, string, "Gives no reply.") \
    CALL(fail_it, string, "Fails the call.", (string, text)) \
    CALL(fail_later, string, "Fails the call, a little later.", (string, text)) \
    CALL(throw, string, "Returns an error.", (string, text)) \
    CALL(trap_call, string, "Ends the instance.") \
    CALL(recurse, u32, "Calls itself so many times.", (u32, depth)) \
    CALL(allocate, u64, "Takes memory.", (u64, bytes)) \
    CALL(call_other, string, "Calls another kitchen, and waits.", (string, name), (string, what), (u64, ms)) \
    CALL(ask_other, string, "Calls another kitchen without standing still.", (string, name), (string, what), (u64, ms)) \
    CALL(ring, string, "Calls `Ring` of an actor with this actor's name.", (string, name)) \
    CALL(ask_ring, string, "The same without standing still.", (string, name)) \
    CALL(sleep, u64, "Sleeps.", (u64, ms)) \
    CALL(gather, u64, "Adds up several replies.", (string, name), (u32, times)) \
    CALL(cancel, string, "Gives up a call.", (string, name)) \
    CALL(timeout_await, string, "Waits for a reply that doesn't come, for a while.", (string, name)) \
    CALL(steps, string, "Does one thing, and a little later another.", (string, text)) \
    CALL(members, u32, "Counts the members of a group.", (string, group)) \
    CALL(where_is, bool, "Looks for an actor.", (string, name)) \
    CALL(events, string, "Replies with the news so far.") \
    CALL(spawn, string, "Starts a child.", (string, module), (string, name), (string, argument)) \
    CALL(children, u32, "Counts the children.") \
    CALL(stop_child, bool, "Stops a child.", (string, name)) \
    CALL(kill_child, bool, "Kills a child.", (string, name)) \
    CALL(config, string, "Replies with a setting.", (string, key)) \
    CALL(self, string, "Replies with the name and the node.") \
    CALL(now, u64, "Replies with the milliseconds since 1970.") \
    CALL(random, u64, "Replies with a number that nobody knows.") \
    CALL(trace, string, "Replies with the `traceparent` of its span; empty if it has none.") \
    CALL(address, bytes, "Replies with the address of an actor.", (string, name)) \
    CALL(cast_address, bool, "Adds to the count of the actor at an address.", (bytes, address), (u64, n)) \
    CALL(big, u64, "Sends a large message to the actor in the setting `peer`, and gets it back.", (u64, bytes))

#endif
