;; Looks for the actors of another node, by addresses that it makes itself: those whose pids follow that of the actor `known`.
;;
;; A call with `l50000` looks for so many. Of each it asks for the address, and sends it something in a year, which it then
;; cancels. `m5000` begins and ends to monitor so many. The answer is how many there were, in six digits.
(import "ractor:actor/registry@0.1.0" "address" (func $address (param i64 i64 i32)))
(data (i32.const 1024) "known")
(global $node (mut i64) (i64.const 0))
(global $bytes (mut i32) (i32.const 0))
(global $length (mut i32) (i32.const 0))
(global $first (mut i64) (i64.const 0))

;; The address of `known`, whose pid comes first in it.
(func $learn
  (call $where_is (i32.const 1024) (i32.const 5) (i32.const 64))
  (if (i32.eqz (i32.load8_u (i32.const 64))) (then unreachable))
  (global.set $node (i64.load (i32.const 72)))
  (global.set $first (i64.load (i32.const 80)))
  (call $address (global.get $node) (global.get $first) (i32.const 64))
  (if (i32.eqz (i32.load8_u (i32.const 64))) (then unreachable))
  (global.set $bytes (i32.load (i32.const 68)))
  (global.set $length (i32.load (i32.const 72))))

;; Writes a pid into the address, the highest byte first.
(func $point (param $pid i64)
  (local $byte i32)
  (local.set $byte (i32.const 7))
  (loop $more
    (i32.store8 (i32.add (global.get $bytes) (local.get $byte)) (i32.wrap_i64 (local.get $pid)))
    (local.set $pid (i64.shr_u (local.get $pid) (i64.const 8)))
    (local.set $byte (i32.sub (local.get $byte) (i32.const 1)))
    (br_if $more (i32.ge_s (local.get $byte) (i32.const 0)))))

(func $number (param $at i32) (param $length i32) (result i32)
  (local $number i32)
  (loop $more
    (local.set $number (i32.add (i32.mul (local.get $number) (i32.const 10))
      (i32.sub (i32.load8_u (local.get $at)) (i32.const 0x30))))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (local.set $length (i32.sub (local.get $length) (i32.const 1)))
    (br_if $more (local.get $length)))
  (local.get $number))

(func $look (param $left i32) (param $monitors i32) (result i32)
  (local $pid i64)
  (local $found i32)
  (local $heap i32)
  (call $learn)
  (local.set $pid (global.get $first))
  (local.set $heap (global.get $heap))
  (loop $more
    ;; What imports return is not needed any more.
    (global.set $heap (local.get $heap))
    (local.set $pid (i64.add (local.get $pid) (i64.const 1)))
    (call $point (local.get $pid))
    (call $resolve (global.get $bytes) (global.get $length) (i32.const 64))
    (local.set $found (i32.add (local.get $found) (i32.load8_u (i32.const 64))))
    (if (local.get $monitors) (then
      (call $monitor (global.get $node) (local.get $pid) (i32.const 64))
      (call $demonitor (global.get $node) (local.get $pid)))
    (else
      (call $address (global.get $node) (local.get $pid) (i32.const 64))
      (call $send_after (global.get $node) (local.get $pid) (i32.const 1024) (i32.const 5) (i32.const 1024) (i32.const 5)
        (i64.const 31536000000) (i32.const 64))
      (if (i32.eqz (i32.load8_u (i32.const 64))) (then (drop (call $cancel (i64.load (i32.const 72))))))))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $more (local.get $left)))
  (local.get $found))

;; The number in decimal digits, up to 999999.
(func $answer (param $number i32) (result i32)
  (local $digit i32)
  (local.set $digit (i32.const 5))
  (loop $more
    (i32.store8 (i32.add (i32.const 2048) (local.get $digit))
      (i32.add (i32.const 0x30) (i32.rem_u (local.get $number) (i32.const 10))))
    (local.set $number (i32.div_u (local.get $number) (i32.const 10)))
    (local.set $digit (i32.sub (local.get $digit) (i32.const 1)))
    (br_if $more (i32.ge_s (local.get $digit) (i32.const 0))))
  (call $some (i32.const 2048) (i32.const 6)))

;; `l50000` looks for so many, `m5000` monitors them.
(func (export "handle-call") (param i32 i32) (param $args i32) (param $length i32) (param i64) (result i32)
  (call $answer (call $look
    (call $number (i32.add (local.get $args) (i32.const 1)) (i32.sub (local.get $length) (i32.const 1)))
    (i32.eq (i32.load8_u (local.get $args)) (i32.const 0x6d)))))
