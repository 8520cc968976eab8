;; Traps at a cast.
(func $attack (param i32 i32) unreachable)
