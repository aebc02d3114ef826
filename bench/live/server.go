package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	carevent "lambdakappa/event"
)

const (
	tickEvery   = 250 * time.Millisecond
	forgetEvery = 10 * time.Second
	mostAsked   = 4 << 10 // bytes of a request's body
	headersIn   = 5 * time.Second
)

// Run shows the page until ctx ends: it starts everything, serves, and ends everything. What lies in a Dir that it has made
// is removed. ready is called once everything runs, with the page's address on this machine, and those that a room may use.
func Run(ctx context.Context, cfg Config, ready func(address string, room []string)) (err error) {
	if err := cfg.Validate(); err != nil {
		return err
	}
	cfg = cfg.complete()
	made, err := makeDir(&cfg)
	if err != nil {
		return err
	}
	if made {
		defer func() { err = errors.Join(err, os.RemoveAll(cfg.Dir)) }()
	}
	listener, err := listenAt(cfg, DefaultListen)
	if err != nil {
		return err
	}
	s := &server{cfg: cfg, hub: NewHub(), started: time.Now()}
	return s.run(ctx, listener, ready)
}

// listenAt takes the address that was asked for, or else usual, or else a free port of this machine: two pages are possible,
// and neither ends the other.
func listenAt(cfg Config, usual string) (net.Listener, error) {
	if cfg.Listen != "" {
		l, err := net.Listen("tcp", cfg.Listen)
		if err != nil {
			return nil, fmt.Errorf("%w: stop what listens there or choose another --listen (127.0.0.1:0 takes a free port)", err)
		}
		return l, nil
	}
	l, err := net.Listen("tcp", usual)
	if err == nil {
		return l, nil
	}
	cfg.Say("%s is taken: another port it is", usual)
	return net.Listen("tcp", "127.0.0.1:0")
}

// reachable returns the page's address on this machine and, where it listens to every interface, those for others.
func reachable(listens net.Addr) (own string, room []string) {
	at := func(ip net.IP, port int) string { return "http://" + net.JoinHostPort(ip.String(), strconv.Itoa(port)) }
	tcp, ok := listens.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return "http://" + listens.String(), nil
	}
	addrs, _ := net.InterfaceAddrs() // who cannot say lets the teacher look it up
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() {
			room = append(room, at(ip.IP, tcp.Port))
		}
	}
	return at(net.IPv4(127, 0, 0, 1), tcp.Port), room
}

// makeDir makes the folder of the data. One that was there before has to be empty, and is not removed at the end.
func makeDir(cfg *Config) (made bool, err error) {
	if cfg.Dir == "" {
		cfg.Dir, err = os.MkdirTemp("", "lambdakappa-demo-")
		return true, err
	}
	held, err := os.ReadDir(cfg.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return true, os.MkdirAll(cfg.Dir, 0o755)
	}
	if err == nil && len(held) > 0 {
		err = fmt.Errorf("dir %s: is not empty; take another folder, or none", cfg.Dir)
	}
	return false, err
}

// A server is one run of the page.
type server struct {
	cfg        Config
	hub        *Hub
	started    time.Time
	stage      *stage
	referee    *referee
	lambda     *observer
	kappa      *observer
	accountant *accountant
	buttons    *buttons
}

func (s *server) run(ctx context.Context, listener net.Listener, ready func(string, []string)) (err error) {
	s.referee, err = newReferee(carevent.DefaultRules(), leastKeep)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	s.stage, err = newStage(ctx, s.cfg, s.note)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, s.stage.close()) }()
	s.lambda = newObserver(Lambda, lambdaServe, s.stage, s.referee, s.hub)
	s.kappa = newObserver(Kappa, kappaServe, s.stage, s.referee, s.hub)
	s.accountant = newAccountant(s.stage)
	s.buttons = &buttons{
		stage: s.stage, lambda: s.lambda, kappa: s.kappa, note: s.note, greet: s.greet, ctx: ctx, busy: map[string]bool{},
	}
	s.greet()
	return s.serve(ctx, listener, ready)
}

// serve runs everything that looks and answers, until ctx ends or the truth cannot go on.
func (s *server) serve(ctx context.Context, listener net.Listener, ready func(string, []string)) error {
	g, running := errgroup.WithContext(ctx)
	s.buttons.ctx = running
	g.Go(func() error { return s.referee.follow(running, s.stage.log) })
	ears := &ear{stage: s.stage, flows: s.accountant.flows, note: s.note}
	for _, look := range []func(context.Context){s.lambda.run, s.kappa.run, s.accountant.run, ears.run} {
		g.Go(func() error { look(running); return nil })
	}
	g.Go(func() error {
		every(running, forgetEvery, func(context.Context) { s.referee.forget() })
		return nil
	})
	g.Go(func() error {
		every(running, tickEvery, s.tick)
		return nil
	})
	page := &http.Server{
		Handler: s.routes(listener.Addr()), ReadHeaderTimeout: headersIn, ReadTimeout: headersIn, IdleTimeout: time.Minute,
	}
	g.Go(func() error {
		if err := page.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-running.Done()
		s.hub.Close("the page has ended: start it again with lambdakappa demo")
		closing, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if page.Shutdown(closing) != nil {
			_ = page.Close() // who has not heard the end by now does not want to
		}
		s.buttons.underway.Wait()
		return nil
	})
	ready(reachable(listener.Addr()))
	if err := g.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

// note publishes a line of the page's log.
func (s *server) note(n Note) {
	if n.Numbers == nil {
		n.Numbers = []string{}
	}
	_ = s.hub.Note(n) // text and numbers: there is always JSON for it
	if n.Kind == Failure {
		s.cfg.Say("%s", n.Text)
	}
}

// greet says what the page begins with.
func (s *server) greet() {
	_ = s.hub.Hello(Hello{
		Rate: s.cfg.Rate, Cars: s.cfg.Cars, WindowSeconds: float64(s.referee.rules.Window) / 1e3, KeepSeconds: s.cfg.Keep.Seconds(),
		Views: strings.Split(views, ","), Broker: s.cfg.Broker, Embedded: true, Machine: machine(), Revision: s.cfg.Revision,
		Parts: parts, BatchIntervalS: s.stage.batchInterval().Seconds(), Started: s.started.UnixMilli(),
	})
}

// tick publishes how everything stands, and once a second the cars.
func (s *server) tick(context.Context) {
	now := time.Now()
	a := s.accountant
	states := a.partsNow(s.lambda, s.kappa)
	a.mu.Lock()
	t := Tick{
		At: now.UnixMilli(), Sent: a.ends.rate, Acked: a.ends.rate, Burst: s.buttons.burstNow(), Log: a.log, Parts: states,
		Disk: a.disk, Oracle: OracleState{Lag: s.referee.lag.Load(), RSS: a.own},
	}
	a.mu.Unlock()
	t.Sides = Sides{s.lambda.now(), s.kappa.now()}
	_ = s.hub.Tick(t)
	if now.UnixMilli()/1000 != now.Add(-tickEvery).UnixMilli()/1000 {
		_ = s.hub.Cars(Cars{At: now.UnixMilli(), Lambda: s.lambda.carsNow(), Kappa: s.kappa.carsNow()})
	}
}

// rateNow is how many events a second are put on the log.
func (s *server) rateNow() float64 {
	s.accountant.mu.Lock()
	defer s.accountant.mu.Unlock()
	return s.accountant.ends.rate
}

func (o *observer) carsNow() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.cars)
}

func (s *server) routes(addr net.Addr) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /", Page())
	mux.HandleFunc("GET /live/stream", s.hub.ServeStream)
	mux.HandleFunc("GET /live/actions", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, s.buttons.actions()) })
	mux.HandleFunc("POST /live/do", s.do)
	return ownHost(addr, mux)
}

// do is POST /live/do.
func (s *server) do(w http.ResponseWriter, r *http.Request) {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "application/json" {
		// A form of another site cannot say that it is JSON.
		answer(w, http.StatusUnsupportedMediaType, Refusal{"content type: takes application/json"})
		return
	}
	var d Do
	decoder := json.NewDecoder(io.LimitReader(r.Body, mostAsked))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		answer(w, http.StatusBadRequest, Refusal{fmt.Sprintf("body: takes {\"do\":…,\"part\":…,\"value\":…}: %v", err)})
		return
	}
	text, err := s.buttons.press(d)
	var no *refusal
	switch {
	case errors.As(err, &no):
		answer(w, no.code, Refusal{no.text})
	case err != nil:
		answer(w, http.StatusInternalServerError, Refusal{err.Error()})
	default:
		answer(w, http.StatusAccepted, Done{text})
	}
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // a browser that has gone wants nothing
}

// ownHost lets in who has asked for this server by an address or as localhost, while it listens on loopback: the page of
// another site, whose name leads here, is not this page.
func ownHost(addr net.Addr, next http.Handler) http.Handler {
	tcp, ok := addr.(*net.TCPAddr)
	guarded := ok && tcp.IP.IsLoopback()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if guarded && host != "localhost" && net.ParseIP(host) == nil {
			answer(w, http.StatusForbidden, Refusal{fmt.Sprintf("host %q: this page answers at %s alone", r.Host, addr)})
			return
		}
		next.ServeHTTP(w, r)
	})
}
