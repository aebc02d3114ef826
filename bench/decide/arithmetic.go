package decide

const (
	day        = 86_400.0 // s
	month      = 730.0    // h, as clouds bill
	hour       = 3_600.0  // s
	minute     = 60.0     // s
	gigabyte   = 1e9      // B, as clouds bill
	perMillion = 1e-6
)

// inputs in the order in which they are asked for. Prices are of no provider: put your own.
var inputs = []Input{
	{"rate", "events per second", "events/s", 10_000, 1, 10e6, 1},
	{"history", "history that answers cover", "days", 30, 0.01, 3650, day},
	{"staleness", "an answer may be so old", "s", 60, 0.01, 30 * day, 1},
	{"interval", "Lambda recomputes every", "minutes", 60, 0.1, 43_200, minute},
	{"log", "log that is kept on the brokers' disks, beside files or a second tier", "days", 3, 0.01, 3650, day},
	{"copies", "copies of the log", "", 3, 1, 10, 1},
	{"late", "readings that come later than the allowed lateness", "%", 0.1, 0, 100, 0.01},
	{"changes", "changes of the logic a month", "", 1, 0, 1000, 1},
	{"core", "price of a core for an hour", "", 0.05, 0.001, 10, 1},
	{"disk", "price of a GB of the brokers' disks for a month", "", 0.10, 0.001, 10, 1},
	{"files", "price of a GB of files, or of a second tier, for a month", "", 0.025, 0.001, 10, 1},
	{"people-lambda", "what people cost for a change of Lambda", "", 0, 0, 1e9, 1},
	{"people-kappa", "what people cost for a change of Kappa", "", 0, 0, 1e9, 1},
}

// A column is a way to build it.
type column struct {
	name   string
	arm    string // whose changes it has
	idle   string // whose steady load it has
	tiered bool   // the log's history lies in a second tier
}

// columns are what is compared with the first of them. A batch layer that goes on from its last view stands there when the
// run has measured it.
func columns(incremental bool) []column {
	all := []column{{name: "Lambda", arm: "lambda", idle: "lambda"}}
	if incremental {
		all = append(all, column{name: "Lambda, incremental", arm: "lambda", idle: incrementalArm})
	}
	return append(all, column{name: "Kappa", arm: "kappa", idle: "kappa"},
		column{name: "Kappa, tiered", arm: "kappa", idle: "kappa", tiered: true})
}

const incrementalArm = "lambda-incremental"

// powers is short for inputs that are multiplied.
func powers(names ...string) map[string]int {
	p := map[string]int{}
	for _, name := range names {
		p[name]++
	}
	return p
}

// cores of a steady load: being there, every event once in the stream, and on Lambda all history again at every batch run, or
// what is new since the last one.
func (c column) cores() []Term {
	sum := []Term{{c.idle + " idle", 1, nil}, {c.arm + " event", 1, powers("rate")}}
	switch c.idle {
	case "lambda":
		sum = append(sum, Term{"lambda batch row", 1, map[string]int{"rate": 1, "history": 1, "interval": -1}})
	case incrementalArm:
		sum = append(sum, Term{"lambda batch row", 1, powers("rate")})
	}
	return sum
}

// gigabytes of what is kept for as long as an input says.
func gigabytes(what string, kept ...string) []Term {
	return []Term{{what, 1 / gigabyte, powers(append([]string{"rate"}, kept...)...)}}
}

// onDisks is what the brokers' disks hold of history, and elsewhere what lies in files or in the second tier: a store of
// objects keeps its own copies.
func (c column) onDisks() []Term {
	if c.arm == "kappa" && !c.tiered {
		return gigabytes("log bytes", "history", "copies")
	}
	return gigabytes("log bytes", "log", "copies")
}

func (c column) elsewhere() []Term {
	switch {
	case c.arm == "lambda":
		return gigabytes("file bytes", "history")
	case c.tiered:
		return gigabytes("log bytes", "history")
	default:
		return nil
	}
}

// wait is until every answer is of new logic, in hours; work is the CPU of that, in core-hours.
func (c column) wait() []Term {
	event := "kappa replay time"
	if c.arm == "lambda" {
		event = "lambda batch time"
	}
	return c.change("wait", event)
}

func (c column) work() []Term {
	event := "kappa event"
	if c.arm == "lambda" {
		event = "lambda batch row"
	}
	return c.change("work", event)
}

func (c column) change(what, event string) []Term {
	return []Term{{c.arm + " change " + what + " once", 1 / hour, nil}, {event, 1 / hour, powers("rate", "history")}}
}

// dropped are the readings of a day that a stream leaves out for good.
func (c column) dropped() []Term {
	if c.arm == "lambda" {
		return nil
	}
	return []Term{{"", day, powers("rate", "late")}}
}

// monthly is a month's price of cores, disks and changes.
func (c column) monthly() []Term {
	return plus(
		times(c.cores(), month, "core"),
		times(c.onDisks(), 1, "disk"), times(c.elsewhere(), 1, "files"),
		times(c.work(), 1, "changes", "core"),
		[]Term{{"", 1, powers("changes", "people-"+c.arm)}},
	)
}

// batchAge is how old the answers of Lambda's batch layer are at the median, without the speed layer.
var batchAge = []Term{{"batch age at once", 1, nil}, {"batch age per interval", 1, powers("interval")}}

// crossings are where one side overtakes the other, for the reader's other numbers.
func crossings(all []column) []Crossing {
	lambda, kappa, tiered := all[0].monthly(), all[len(all)-2].monthly(), all[len(all)-1].monthly()
	return []Crossing{
		{
			Over: "interval", Left: batchAge, Right: []Term{{"", 1, powers("staleness")}},
			Says:  "Lambda's batch layer alone is fresh enough for you when it runs at least every",
			Below: "Lambda's batch layer alone is fresh enough for you, however seldom it runs",
			Above: "Lambda's batch layer alone is not fresh enough for you, however often it runs",
		},
		{
			Over: "interval", Left: kappa, Right: lambda,
			Says:  "a month of Lambda costs more than one of Kappa when Lambda recomputes more often than every",
			Below: "a month of Lambda costs more than one of Kappa, however seldom Lambda recomputes",
			Above: "a month of Lambda costs less than one of Kappa, however often Lambda recomputes",
		},
		{
			Over: "interval", Left: tiered, Right: lambda,
			Says:  "a month of Lambda costs more than one of Kappa with a second tier when Lambda recomputes more often than every",
			Below: "a month of Lambda costs more than one of Kappa with a second tier, however seldom Lambda recomputes",
			Above: "a month of Lambda costs less than one of Kappa with a second tier, however often Lambda recomputes",
		},
		{
			Over: "changes", Left: tiered, Right: lambda,
			Says:  "a month of Kappa with a second tier costs more than one of Lambda when the logic changes more often, times a month, than",
			Below: "a month of Kappa with a second tier costs less than one of Lambda, however often the logic changes",
			Above: "a month of Kappa with a second tier costs more than one of Lambda, however seldom the logic changes",
		},
	}
}

// quantities are the lines of an answer.
func quantities(all []column) []Quantity {
	each := func(of func(column) []Term) (sums [][]Term) {
		for _, c := range all {
			sums = append(sums, of(c))
		}
		return sums
	}
	return []Quantity{
		{
			"cores, all the time", "cores", each(column.cores),
			"being there, every event once, and on Lambda all history again at every batch run, or what is new",
		},
		{
			"age of an answer, median", "s", each(func(c column) []Term { return []Term{{c.arm + " age", 1, nil}} }),
			"of the newest event in it, with the speed layer on Lambda's side; the tier is behind, and makes nothing older",
		},
		{
			"history and log", "GB", each(func(c column) []Term { return plus(c.onDisks(), c.elsewhere()) }),
			"Parquet files and a short log; or the log, compressed, in copies on the brokers' disks; or in a second tier but for a short time",
		},
		{
			"until every answer is right after a change", "hours", each(column.wait),
			"a recompute of the files or a replay of the log, on the two cores that were measured: more cores and partitions divide it",
		},
		{"work of a change", "core-hours", each(column.work), "the CPU of the same"},
		{
			"readings that never count, a day", "readings", each(column.dropped),
			"Kappa leaves out what comes after the lateness that it waits for, and says so; a batch counts whatever has come",
		},
		{"a month", "", each(column.monthly), "cores, disks and changes at your prices, and what people cost you"},
	}
}

// Inputs returns what a reader may say, in the order in which it is asked for.
func Inputs() []Input { return inputs }
