package live

// The types of what passes between the server and the page, as JSON. GET /live/actions answers with []Action, POST /live/do takes
// a Do and answers with a Done or a Refusal, and the events of GET /live/stream carry the others.

// The names of the two sides, of states and of what is injected.
const (
	Lambda = "lambda"
	Kappa  = "kappa"

	Up       = "up"
	Starting = "starting" // started, and has not said yet that it is ready
	Down     = "down"     // killed, ended, or not started yet: the page strikes it out
	Busy     = "busy"     // up, and at work that has an end: a batch run, a replay

	Late       = "late"
	Duplicates = "duplicates"
	Poison     = "poison"
	Spike      = "spike"

	Kill    = "kill"
	Restart = "restart" // what the page asks for in place of Kill while the part is down
)

// The kinds of notes.
const (
	ByButton = "button" // somebody pressed one
	Fact     = "fact"   // something that a part said, or that was seen of it
	Failure  = "error"  // something that should not have happened
)

// Numbers are the names of what the page shows and can point at: the only ones that an Action and a Note may name.
var Numbers = []string{
	"freshness", "accuracy", "late", "wrong", "alerts", "version", "lag", "visible", "duplicates", "dead_letters", "dropped_late",
	"mixed", "generation", "boundary", "cars", "cpu", "memory", "disk", "rate", "uptime",
}

// An Action is a button.
type Action struct {
	Do    string `json:"do"`
	Part  string `json:"part"`  // the part that it is done to, "" for none
	Value string `json:"value"` // "" for none; not used where there are Choices

	Group string `json:"group"` // events, parts or logic: the page has a heading for each
	Side  string `json:"side"`  // Lambda, Kappa, or "" for both
	Label string `json:"label"` // two or three words

	What    string   `json:"what"`    // what it really does, one sentence
	Watch   string   `json:"watch"`   // what to look at, and what should happen, one or two sentences
	Numbers []string `json:"numbers"` // of these, those that the page has; see [Numbers]

	Takes   float64  `json:"takes"`             // seconds that it lasts, 0 if it is over at once; until then the page does not ask again
	Toggle  bool     `json:"toggle,omitempty"`  // of Kill: the button says and does Restart while the part is down
	Choices []string `json:"choices,omitempty"` // one button for each, which becomes the Value
}

// A Do is what a button asks for: an Action's Do, Part and Value, or one of its Choices. A button that toggles asks for Restart
// while its part is down: so a click that crosses with the news that the part is gone never does the opposite of what it says.
type Do struct {
	Do    string `json:"do"`
	Part  string `json:"part"`
	Value string `json:"value"`
}

// Done is the answer to what is being done (202).
type Done struct {
	Text string `json:"text"`
}

// A Refusal is the answer to what is not done: 400 for what nobody can ask for, 409 for what cannot be done now.
type Refusal struct {
	Error string `json:"error"` // why, and what to do; people read it
}

// Hello is what a stream begins with, and is said again when something of it changes.
type Hello struct {
	Rate           float64  `json:"rate"` // events/s that the generator aims at
	Cars           int      `json:"cars"`
	WindowSeconds  float64  `json:"window_s"` // length of a window of event time
	KeepSeconds    float64  `json:"keep_s"`   // how far back the log, the views and the master dataset go
	Views          []string `json:"views"`
	Broker         string   `json:"broker"`   // its name and version
	Embedded       bool     `json:"embedded"` // and that it is the embedded one, which is no Kafka
	Machine        string   `json:"machine"`
	Revision       string   `json:"revision"`
	Parts          []Part   `json:"parts"` // in the order of the data flow
	BatchIntervalS float64  `json:"batch_interval_s"`
	Started        int64    `json:"started"` // ms Unix
}

// A Part is a process, or something of the server's own that stands for one.
type Part struct {
	Name string `json:"name"` // as its command has it: "kappa process"
	Side string `json:"side"` // Lambda, Kappa, or "" for what both need
}

// A Tick is the state of everything, four times a second.
type Tick struct {
	At    int64                `json:"at"`    // ms Unix
	Sent  float64              `json:"sent"`  // events/s, over the last second
	Acked float64              `json:"acked"` // of them those that are on the log
	Burst string               `json:"burst"` // what is being injected: Late, Duplicates, Poison, Spike, or ""
	Log   Log                  `json:"log"`
	Sides Sides                `json:"sides"`
	Parts map[string]PartState `json:"parts"` // those that exist now; a replay only while there is one
	Disk  Disk                 `json:"disk"`
	// Oracle is the truth's own account: it is computed in the process of the page.
	Oracle OracleState `json:"oracle"`
}

// Sides is one thing of each side.
type Sides struct {
	Lambda Side `json:"lambda"`
	Kappa  Side `json:"kappa"`
}

// Log is the log, over all partitions.
type Log struct {
	End   int64 `json:"end"` // events that were ever appended
	Bytes int64 `json:"bytes"`
	Kept  int64 `json:"kept"` // events that it still holds
}

// A Side is what one architecture answers, held against the truth.
type Side struct {
	Answers bool   `json:"answers"` // somebody answers now
	Version string `json:"version"`

	FreshnessMS      *float64 `json:"freshness_ms"`                 // age of the newest event in the answer, on the worst partition; nil: not known
	BatchFreshnessMS *float64 `json:"batch_freshness_ms,omitempty"` // of the batch view alone; Lambda only
	Visible          Visible  `json:"visible_ms"`
	Lag              int64    `json:"lag"`                       // events that are on the log and not yet in the answer
	Generation       int64    `json:"generation"`                // of the batch view or, of Kappa, 0
	BoundaryAgeMS    *float64 `json:"boundary_age_ms,omitempty"` // age of the batch view's boundary; Lambda only

	Accuracy Accuracy `json:"accuracy"`

	DroppedLate int64 `json:"dropped_late"` // events, since the start
	DeadLetters int64 `json:"dead_letters"` // events, since the start
	Duplicates  int64 `json:"duplicates"`   // events that were known already, since the start
	Alerts      int64 `json:"alerts"`       // in the last minute
	Mixed       int64 `json:"mixed"`        // rows that another version made than the one that the answer says
}

// Visible is how long it took until an event was in the answer, over the last ten seconds. P50 and P99 mean nothing where N is 0.
type Visible struct {
	P50 float64 `json:"p50"` // ms
	P99 float64 `json:"p99"` // ms
	N   int64   `json:"n"`   // events that were followed
}

// Accuracy is what was found of the closed windows of the last five minutes. Windows is the sum of the others.
type Accuracy struct {
	Windows   int64 `json:"windows"`
	Exact     int64 `json:"exact"`      // truth A: every reading is in it
	LacksLate int64 `json:"lacks_late"` // truth B: right but for the readings that came too late
	Missing   int64 `json:"missing"`    // no row, or too few readings
	Double    int64 `json:"double"`     // readings that count more than once
	Other     int64 `json:"other"`      // something else: the row of another version, another logic
}

// A PartState is what a process is doing and what it takes.
type PartState struct {
	State string  `json:"state"` // Up, Starting, Down or Busy
	CPU   float64 `json:"cpu"`   // cores, over the last second
	RSS   int64   `json:"rss"`   // bytes of memory
	Lag   int64   `json:"lag"`   // events behind what it reads, -1 if that means nothing
	Rate  float64 `json:"rate"`  // events/s that it takes in
}

// Disk is what lies on disk, in bytes.
type Disk struct {
	Log    int64 `json:"log"`
	Lambda int64 `json:"lambda"` // master dataset and batch views
	Page   int64 `json:"page"`   // what the server itself keeps
}

// OracleState is what the truth is doing.
type OracleState struct {
	Lag int64 `json:"lag"` // events
	RSS int64 `json:"rss"` // bytes of the page's own process
}

// A Note is a line of the page's log and, where it has a From, something to see in the plots.
type Note struct {
	At      int64    `json:"at"`   // ms Unix
	Kind    string   `json:"kind"` // ByButton, Fact or Failure
	Side    string   `json:"side"` // Lambda, Kappa, or "" for both
	Text    string   `json:"text"`
	Numbers []string `json:"numbers"` // those that it shows in; see [Numbers]
	From    int64    `json:"from"`    // ms Unix, 0 for none
	To      int64    `json:"to"`      // ms Unix: a band from From to To; 0: a mark at From
}

// A Batch is a batch view that went live: a mark in the plots.
type Batch struct {
	At         int64  `json:"at"` // ms Unix
	Generation int64  `json:"generation"`
	Side       string `json:"side"`
}

// Cars has one character per car, once a second: '0' to '9' is the age of the newest reading in that side's answer in seconds (9:
// nine or more), 'A' an alert in the last ten seconds, '.' nothing known.
type Cars struct {
	At     int64  `json:"at"` // ms Unix
	Lambda string `json:"lambda"`
	Kappa  string `json:"kappa"`
}

// History is what a page that has just connected could not hear: oldest first.
type History struct {
	Ticks   []Tick  `json:"ticks"`
	Notes   []Note  `json:"notes"`
	Batches []Batch `json:"batches"`
	Cars    *Cars   `json:"cars"` // nil: none yet
}

// Bye is the last of a stream.
type Bye struct {
	Text string `json:"text"` // why
}
