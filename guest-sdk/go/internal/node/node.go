// Package node is what an actor asks of its node, the functions that the WIT imports: of the real one when the actor is compiled to
// WebAssembly, and of one to test with otherwise.
package node

// Pid is the address of an actor on this node.
type Pid struct{ Node, ID uint64 }

// Failure is an error of the node: its number in the enumeration or variant of that function in the WIT, and a reason if it has one.
type Failure struct {
	Code   uint8
	Reason string
}

// Setting is a key with its value.
type Setting struct{ Key, Value string }

// Child is a child to start.
type Child struct {
	Module    string
	Name      string
	Arguments []byte
	Groups    []string
	Restart   uint8
}

// Current is the node that this actor is on.
var Current Node

// Node has the functions of the WIT, by the names that they have there. A nil Failure is success. The empty text stands for an optional
// text that isn't there.
type Node interface {
	SelfPid() Pid
	SelfName() (string, bool)
	NodeName() string

	Cast(to Pid, tag string, arguments []byte) *Failure
	Reply(call uint64, bytes []byte) *Failure
	DropCall(call uint64)
	FailCall(call uint64, reason string)
	IsWaiting(call uint64) bool
	Metadata() ([]byte, bool)
	TraceContext() (parent, state string, traced bool)
	NextCast() bool

	Call(to Pid, tag string, arguments []byte, timeoutMs *uint64) ([]byte, *Failure)
	Ask(to Pid, tag string, arguments []byte, timeoutMs *uint64) (uint64, *Failure)
	CancelAsk(token uint64) bool
	// Pending says that a handler is not done. The mailbox is held, or open.
	Pending(open bool)

	WhereIs(name string) (Pid, bool)
	Address(actor Pid) ([]byte, bool)
	Resolve(address []byte) (Pid, bool)

	Join(group string, scope string)
	Leave(group string, scope string)
	Members(group string, scope string) []Pid
	LocalMembers(group string, scope string) []Pid
	WhichGroups(scope string) []string
	MonitorGroup(group string, scope string)
	DemonitorGroup(group string, scope string)

	SendAfter(to Pid, tag string, arguments []byte, ms uint64) (uint64, *Failure)
	SendInterval(to Pid, tag string, arguments []byte, ms uint64) (uint64, *Failure)
	StopAfter(ms uint64) (uint64, *Failure)
	WakeAfter(ms uint64) (uint64, *Failure)
	CancelTimer(timer uint64) bool

	Log(level uint8, target, message string, fields []Setting)

	Spawn(child Child) (Pid, *Failure)
	Children() []Pid
	Supervisor() (Pid, bool)
	Stop(reason string)
	Exit(reason string)
	StopChild(child Pid, reason string) bool
	KillChild(child Pid) bool
	Monitor(actor Pid) *Failure
	Demonitor(actor Pid)

	ConfigValue(key string) (string, bool)
	ConfigEntries() []Setting

	Random(count uint32) []byte
}
