package node

// Actor has the callbacks of an actor, by the names that they have in the WIT. An error fails the actor.
type Actor interface {
	Describe() Contract
	PreStart(argument []byte) error
	PostStart() error
	// HandleCast says besides whether the handler is done. It isn't if it waits for something.
	HandleCast(tag string, arguments []byte) (Progress, error)
	HandleCall(tag string, arguments []byte, call uint64) (Outcome, error)
	HandleEvent(event Event) error
	HandleReply(token uint64, reply []byte, failure *Failure) error
	HandleWake(timer uint64) error
	PostStop() error
	Snapshot() ([]byte, error)
	Restore(state []byte, version uint32) error
	PostReload() error
	// Leave ends every entry. It says whether a handler is pending.
	Leave()
}

// Progress of a handler.
type Progress bool

// A handler is done, or waits for something.
const (
	Done    Progress = true
	Pending Progress = false
)

// Outcome is what became of a call.
type Outcome struct {
	Kind OutcomeKind
	// Of a Reply.
	Bytes []byte
	// Of Failed.
	Reason string
}

// OutcomeKind has the cases of `calls.outcome`.
type OutcomeKind uint8

// The cases.
const (
	Reply OutcomeKind = iota
	Later
	Failed
)

// Event is news of a child, or of an actor or a group that is monitored.
type Event struct {
	Kind EventKind
	// The actor, unless a group changed. Its name is empty if it has none, and so is the reason of its end.
	Actor        Pid
	Name, Reason string
	// The group that changed, and its scope, which is empty for the default one.
	Scope, Group string
	// Whether the actors below joined it or left it.
	Joined bool
	Actors []Pid
}

// EventKind says what happened.
type EventKind uint8

// What happens.
const (
	// Started is a child that came to life.
	Started EventKind = iota
	// Terminated is an actor that was stopped or killed.
	Terminated
	// ActorFailed is an actor that failed, and no restart brought it back.
	ActorFailed
	// GroupChanged is a change of a group.
	GroupChanged
)

// Contract is what an actor understands.
type Contract struct {
	Name, Version string
	StateVersion  uint32
	Documentation string
	Start         *Parameter
	Messages      []Message
	Schemas       []Schema
}

// Parameter is an argument.
type Parameter struct{ Name, Type string }

// Message is one that the actor understands. Reply is empty if it is a cast.
type Message struct {
	Name, Documentation string
	Arguments           []Parameter
	Reply               string
}

// Schema is a definition of a type that has a name.
type Schema struct {
	Name, Format string
	Bytes        []byte
}
