package report

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"lambdakappa/bench/ledger"
	"lambdakappa/bench/result"
)

// A page is the content of a report, before it is HTML, Markdown or terminal text.
type page struct {
	Title     string
	Lead      string
	Facts     string // when, where, which revision
	Alarms    []banner
	Needs     table       // if you need X; only from figures of right runs
	Others    string      // the needs that are not in the table
	Advice    []string    // more of the same, that is no ranking
	Numbers   *ownNumbers // nil where nothing has measured what it takes
	Counts    table
	Caught    []string // how mistakes made on purpose fared
	Broker    banner
	Caution   []string
	Asked     []string
	Ledger    table
	Verdicts  table
	Sections  []section
	Command   string
	Reproduce table
}

// A banner is what must be read before any figure.
type banner struct {
	Tone tone
	Text string
}

// A section is one scenario or one subject.
type section struct {
	ID       string
	Title    string
	Question string
	About    string
	Parts    []string // of the architectures that it is about
	Words    []word   // about its figures
	Answers  answers
	Again    string // the command that measures it again; empty for what is no scenario
	Plots    []*plot
	Tables   []table
	Pairs    []pair // of sources
	Notes    []string
}

// A word is a paragraph about a section's figures, with what it is.
type word struct{ What, Says string }

// wordsOf are how to read a scenario, what surprises in it, and what to be careful with.
func wordsOf(q result.Scenario) (words []word) {
	for _, w := range []word{
		{"How to read it", q.Reading}, {"What surprises in the reference run", q.Surprises}, {"Caution", q.Caution},
	} {
		if w.Says != "" {
			words = append(words, w)
		}
	}
	return words
}

// answers says of every run whether it is right: in one line when all are.
type answers struct {
	Said string
	Open bool // something is not right, so that nobody shall overlook it
	Runs table
}

// newPage draws up the report of s. What a reader's own numbers come to is computed from s, and from the reference run where s
// has not measured all that it takes; reference may be nil.
func newPage(s, reference *result.Summary) *page {
	p := &page{
		Title:     "Lambda and Kappa on the same events",
		Lead:      lead,
		Facts:     facts(s),
		Alarms:    alarms(s),
		Advice:    advice(s),
		Numbers:   newOwnNumbers(s, reference),
		Counts:    countTable(s),
		Caught:    caught(s),
		Broker:    brokerBanner(s),
		Caution:   caution(s),
		Asked:     asked,
		Ledger:    ledgerTable(s),
		Verdicts:  verdictTable(s),
		Sections:  sections(s),
		Command:   s.Command,
		Reproduce: reproduceTable(s),
	}
	p.Needs, p.Others = needTable(s)
	p.thin()
	return p
}

// showCode puts the sources that a run has kept into the section about code.
func (p *page) showCode(sizes map[string]result.CodeSize, code fs.FS) {
	for i := range p.Sections {
		if s := &p.Sections[i]; s.ID == codeID {
			s.Pairs = pairs(sizes, code)
		}
	}
}

// plots are all that stand in files beside report.md.
func (p *page) plots() []*plot {
	var all []*plot
	for _, s := range p.Sections {
		all = append(all, s.Plots...)
	}
	return all
}

const lead = "Lambda computes every answer twice, with a batch over all history and a stream over what came since, and merges. Kappa " +
	"computes it once, as a stream, and replays the log when the logic changes. Here both answer the same questions over the same " +
	"events, and a third program checks every row before a figure counts."

var asked = []string{
	"A fleet of cars sends sensor readings to one log. Two architectures compute the same answers: a summary " +
		"per car and window, an alert per suspicious reading, a trip per drive. Lambda does it twice (a batch layer over all " +
		"history, a speed layer over what came since) and merges. Kappa does it once, as a stream, and replays " +
		"the log when the logic changes.",
	"First question: is every row right, compared with a third program that neither side shares? " +
		"Only then: how soon, at what cost, with how much code?",
	"Readings that come late make two truths. A batch counts every reading, however late; a stream leaves out " +
		"what comes after the allowed lateness, and says so. Each side is held to its own rule, so both can be " +
		"right with different rows: how far the rules lie apart is what the scenario late measures.",
}

func facts(s *result.Summary) string {
	facts := []string{"run of " + s.Started, s.Profile + " profile"}
	facts = append(facts, fmt.Sprintf("%s, %d cores, %s", s.Machine.CPU, s.Machine.Cores,
		humanize.IBytes(s.Machine.MemBytes)), "revision "+s.Revision)
	return strings.Join(facts, " · ")
}

// alarms are what has to be known before anything is read.
func alarms(s *result.Summary) []banner {
	var bs []banner
	found := map[verdict]bool{}
	for i := range s.Runs {
		found[verdictOf(&s.Runs[i])] = true
	}
	switch {
	case found[runWrong]:
		bs = append(bs, banner{wrong, "WRONG ANSWERS. At least one run did not answer right or lost something. " +
			"Its figures are struck out and count for nothing."})
	case found[runFailed]:
		bs = append(bs, banner{wrong, "FAILED. At least one run broke off before its answers could be compared. " +
			"It says nothing about them."})
	}
	if s.Interrupted {
		bs = append(bs, banner{void, "Interrupted. This is what was measured until then; scenarios may be missing."})
	}
	if strings.Contains(s.Revision, "dirty") {
		bs = append(bs, banner{void, "The source had changes that are in no revision: nobody else can repeat this run exactly."})
	}
	return bs
}

func brokerBanner(s *result.Summary) banner {
	if s.Broker.Kind == "embedded" {
		return banner{plain, "Embedded broker (" + s.Broker.Version + "). It speaks Kafka's protocol but is no Kafka: " +
			"one process, no replication, one disk. These figures are no Kafka figures."}
	}
	return banner{plain, "A cluster (" + s.Broker.Version + "). What it takes of CPU and memory is in no figure. " +
		"Compare runs on it with each other, and not with those of the embedded broker."}
}

// verdictTable has one row per scenario and one column per arm: right or not, then one figure.
func verdictTable(s *result.Summary) table {
	t := table{Caption: "Verdict: right answers first, then one figure", Head: []string{"scenario", "lambda", "kappa"}}
	others := len(otherArms(s)) > 0
	if others {
		t.Head = append(t.Head, "other arms")
	}
	for _, name := range scenarioNames(s) {
		gs := groups(s, name)
		if len(gs) == 0 {
			continue
		}
		figures := scenarioOf(s, name).Headline
		row := []cell{text(scenarioName(s, name))}
		for _, arm := range t.Head[1:3] {
			row = append(row, verdictCell(ofArm(gs, arm), figures))
		}
		if others {
			row = append(row, othersCell(s, gs, figures))
		}
		t.Rows = append(t.Rows, row)
	}
	if row, ok := codeRow(s, others); ok {
		t.Rows = append(t.Rows, row)
	}
	return t
}

// othersCell has what the variations of the two, and both on one log, came to. The worst tone wins:
// nobody shall overlook that one of several is wrong.
func othersCell(s *result.Summary, gs []*group, figures []string) cell {
	var all []string
	worst := absent
	for _, arm := range otherArms(s) {
		own := ofArm(gs, arm)
		if len(own) == 0 {
			continue
		}
		c := verdictCell(own, figures)
		all = append(all, arm+": "+c.Text)
		if slices.Index(badness, c.Tone) > slices.Index(badness, worst) {
			worst = c.Tone
		}
	}
	if len(all) == 0 {
		return cell{Text: "-", Tone: absent}
	}
	return cell{Text: strings.Join(all, "; "), Tone: worst}
}

// badness orders the tones of a verdict, from the least alarming.
var badness = []tone{absent, plain, right, void, wrong}

func scenarioName(s *result.Summary, name string) string {
	if q := scenarioOf(s, name).Question; q != "" {
		return name + ": " + q
	}
	return name
}

// otherArms are those that ran beside lambda and kappa, in the order of their first run.
func otherArms(s *result.Summary) []string {
	var others []string
	for i := range s.Runs {
		arm := s.Runs[i].Arm
		if arm != "control" && arm != "lambda" && arm != "kappa" && !slices.Contains(others, arm) {
			others = append(others, arm)
		}
	}
	return others
}

func ofArm(gs []*group, arm string) []*group {
	return slices.DeleteFunc(slices.Clone(gs), func(g *group) bool { return g.Arm != arm })
}

// verdictCell sums up one arm in one scenario. The worst group decides.
func verdictCell(gs []*group, figures []string) cell {
	if len(gs) == 0 {
		return cell{Text: "-", Tone: absent}
	}
	all := group{Scenario: gs[0].Scenario, Arm: gs[0].Arm}
	for _, g := range gs {
		all.Runs = append(all.Runs, g.Runs...)
	}
	c := all.answers()
	switch all.worst() {
	case runRight:
		c.Text += rowsText(&all) + headline(gs, figures)
	case runMistaken:
		c.Text += headline(gs, figures)
	}
	return c
}

// rowsText says how many rows were compared; empty when none were.
func rowsText(g *group) string {
	windows, alerts, trips, _ := g.compared()
	if n := windows.Exact + alerts.Exact + trips.Exact; n > 0 {
		return ", " + humanize.Comma(int64(n)) + " rows exact"
	}
	return ""
}

// headline is empty for a scenario that is about right answers alone. Of several sizes it takes
// the first: the others are in the scenario's own table.
func headline(gs []*group, names []string) string {
	if len(names) == 0 {
		return ""
	}
	var parts []string
	seen := map[string]bool{}
	for _, g := range gs {
		if phase := g.Runs[0].Phase; !seen[phase] {
			seen[phase] = true
			parts = append(parts, headlineOf(g, phase, names)...)
		}
	}
	if len(parts) == 0 {
		return "; " + missing
	}
	return "; " + strings.Join(parts, ", ")
}

func headlineOf(g *group, phase string, names []string) []string {
	var parts []string
	for _, name := range names {
		m := metric{ledger.Named(name, g.Runs...)}
		xs := m.values(g)
		if len(xs) == 0 {
			continue
		}
		label := strings.Replace(name, "event visible,", "visible", 1)
		if phase != "" {
			label = phaseName(phase)
		}
		parts = append(parts, label+" "+inUnit(ledger.Median(xs), m.Unit))
	}
	return parts
}

func codeRow(s *result.Summary, others bool) ([]cell, bool) {
	if len(s.CodeSize) == 0 {
		return nil, false
	}
	row := []cell{text(scenarioName(s, "code")), codeCell(s, "lambda"), codeCell(s, "kappa")}
	if others {
		shared := codeCell(s, "lambda-shared")
		if shared.Tone != absent {
			shared.Text = "lambda-shared: " + shared.Text
		}
		row = append(row, shared)
	}
	return row, true
}

func codeCell(s *result.Summary, column string) cell {
	size, ok := s.CodeSize[column]
	if !ok {
		return cell{Text: "not counted", Tone: absent}
	}
	return text(fmt.Sprintf("%s lines, %s statements",
		humanize.Comma(int64(size.Lines)), humanize.Comma(int64(size.Statements))))
}

// reproduceTable is everything that a second run has to have equal.
func reproduceTable(s *result.Summary) table {
	set := s.Settings
	ms := func(n int64) string { return humanize.Comma(n) + " ms" }
	rows := [][2]string{
		{"seed", fmt.Sprint(s.Seed)},
		{"revision", s.Revision},
		{"profile", s.Profile},
		{"started", s.Started + ", took " + figure(s.Seconds) + " s"},
		{"machine", fmt.Sprintf("%s, %d cores, %s memory, %s/%s, kernel %s", s.Machine.CPU, s.Machine.Cores,
			humanize.IBytes(s.Machine.MemBytes), s.Machine.OS, s.Machine.Arch, s.Machine.Kernel)},
		{"Go", s.Machine.GoVersion},
		{"broker", s.Broker.Kind + ", " + s.Broker.Version},
		{"partitions", fmt.Sprint(set.Partitions)},
		{"window, disorder bound", ms(set.WindowMs) + ", " + ms(set.DisorderMs)},
		{"allowed lateness, future skew", ms(set.LatenessMs) + ", " + ms(set.FutureSkewMs)},
		{"linger", figure(set.LingerMs) + " ms"},
		{"GOGC, GOMEMLIMIT", orDefault(set.GOGC) + ", " + orDefault(set.GOMEMLIMIT)},
	}
	t := table{Caption: "What a second run must have equal", Head: []string{"setting", "value"}}
	for _, r := range rows {
		t.Rows = append(t.Rows, []cell{text(r[0]), text(r[1])})
	}
	return t
}

func orDefault(s string) string {
	if s == "" {
		return "default"
	}
	return s
}
