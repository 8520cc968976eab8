;; As it starts, hands a text of 40 MiB to the import that the first byte of its arguments chooses.
(data (i32.const 1040) "\00\00\01\00\00\00\80\02\00\00\01\00\00\00\80\02")
(func (export "pre-start") (param $args i32) (param i32) (result i32)
  (local $import i32)
  (if (i32.eq (memory.grow (i32.const 640)) (i32.const -1)) (then unreachable))
  (memory.fill (i32.const 65536) (i32.const 0x78) (i32.const 41943040))
  (local.set $import (i32.sub (i32.load8_u (local.get $args)) (i32.const 0x61)))
  (if (i32.eq (local.get $import) (i32.const 0)) (then
    (call $cast (i64.const 0) (call $me) (i32.const 65536) (i32.const 41943040) (i32.const 0) (i32.const 0) (i32.const 64))))
  (if (i32.eq (local.get $import) (i32.const 1)) (then
    (call $call (i64.const 0) (call $named (i32.const 304) (i32.const 7)) (i32.const 65536) (i32.const 41943040)
      (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 0) (i32.const 64))))
  (if (i32.eq (local.get $import) (i32.const 2)) (then
    (call $where_is (i32.const 65536) (i32.const 41943040) (i32.const 64))))
  (if (i32.eq (local.get $import) (i32.const 3)) (then
    (call $join (i32.const 65536) (i32.const 41943040) (i32.const 0) (i32.const 0) (i32.const 0))))
  (if (i32.eq (local.get $import) (i32.const 4)) (then
    (call $leave (i32.const 288) (i32.const 4) (i32.const 1) (i32.const 65536) (i32.const 41943040))))
  (if (i32.eq (local.get $import) (i32.const 5)) (then
    (call $members (i32.const 65536) (i32.const 41943040) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))))
  (if (i32.eq (local.get $import) (i32.const 6)) (then
    (call $local_members (i32.const 65536) (i32.const 41943040) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))))
  (if (i32.eq (local.get $import) (i32.const 7)) (then
    (call $which_groups (i32.const 1) (i32.const 65536) (i32.const 41943040) (i32.const 64))))
  (if (i32.eq (local.get $import) (i32.const 8)) (then
    (call $monitor_group (i32.const 65536) (i32.const 41943040) (i32.const 0) (i32.const 0) (i32.const 0))))
  (if (i32.eq (local.get $import) (i32.const 9)) (then
    (call $demonitor_group (i32.const 65536) (i32.const 41943040) (i32.const 0) (i32.const 0) (i32.const 0))))
  (if (i32.eq (local.get $import) (i32.const 10)) (then
    (call $send_after (i64.const 0) (call $me) (i32.const 65536) (i32.const 41943040) (i32.const 0) (i32.const 0)
      (i64.const 0) (i32.const 64))))
  (if (i32.eq (local.get $import) (i32.const 11)) (then
    (call $send_interval (i64.const 0) (call $me) (i32.const 65536) (i32.const 41943040) (i32.const 0) (i32.const 0)
      (i64.const 0) (i32.const 64))))
  (if (i32.eq (local.get $import) (i32.const 12)) (then
    (call $log (i32.const 2) (i32.const 65536) (i32.const 41943040) (i32.const 288) (i32.const 4) (i32.const 0) (i32.const 0))))
  (if (i32.eq (local.get $import) (i32.const 13)) (then
    (call $log (i32.const 2) (i32.const 288) (i32.const 4) (i32.const 65536) (i32.const 41943040) (i32.const 0) (i32.const 0))))
  (if (i32.eq (local.get $import) (i32.const 14)) (then
    (call $log (i32.const 2) (i32.const 288) (i32.const 4) (i32.const 288) (i32.const 4) (i32.const 1040) (i32.const 1))))
  (if (i32.eq (local.get $import) (i32.const 15)) (then
    (drop (call $spawn_child (i32.const 65536) (i32.const 41943040) (i32.const 0)))))
  (if (i32.eq (local.get $import) (i32.const 16)) (then
    (call $stop (i32.const 1) (i32.const 65536) (i32.const 41943040))))
  (if (i32.eq (local.get $import) (i32.const 17)) (then
    (call $exit (i32.const 65536) (i32.const 41943040))))
  (if (i32.eq (local.get $import) (i32.const 18)) (then
    (drop (call $stop_child (i64.const 0) (i64.const 0) (i32.const 1) (i32.const 65536) (i32.const 41943040)))))
  (if (i32.eq (local.get $import) (i32.const 19)) (then
    (call $config_value (i32.const 65536) (i32.const 41943040) (i32.const 64))))
  (call $ok))
