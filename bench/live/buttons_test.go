package live

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	carevent "lambdakappa/event"
)

// idle is a server whose stage has nothing running.
func idle(t *testing.T) *server {
	t.Helper()
	cfg := DefaultConfig().complete()
	r, err := newReferee(carevent.DefaultRules(), cfg.Keep)
	require.NoError(t, err)
	s := &server{cfg: cfg, hub: NewHub(), referee: r, started: time.Now()}
	s.stage = &stage{cfg: cfg, interval: cfg.Interval, note: s.note, versions: map[string]string{Lambda: "v1", Kappa: "v1"}}
	s.lambda = newObserver(Lambda, lambdaServe, s.stage, r, s.hub)
	s.kappa = newObserver(Kappa, kappaServe, s.stage, r, s.hub)
	s.buttons = &buttons{stage: s.stage, lambda: s.lambda, kappa: s.kappa, note: s.note, greet: s.greet, ctx: t.Context(), busy: map[string]bool{}}
	return s
}

func press(s *server, kind, body string) (int, string) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/live/do", strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	s.do(w, r)
	return w.Code, w.Body.String()
}

// Ensure that what no button can ask for is refused with a word that says what can be, and what cannot be done now with why.
func TestRefusals(t *testing.T) {
	s := idle(t)
	f := func(body string, code int, says string) {
		t.Helper()
		got, text := press(s, "application/json", body)
		require.Equal(t, code, got, text)
		require.Contains(t, text, says)
	}
	f(`{"do":"dance"}`, 400, "no button does that")
	f(`{"do":"kill","part":"generator"}`, 400, "there is no such part to kill")
	f(`{"do":"restart","part":"kappa replay"}`, 400, "there is no such part to start")
	f(`{"do":"kill","part":"kappa serve"}`, 409, "kappa serve does not run")
	f(`{"do":"restart","part":"kappa serve"}`, 409, "the broker is away")
	f(`{"do":"late"}`, 409, "the broker is away")
	f(`{"do":"deploy","part":"kappa","value":"v9"}`, 400, "takes one of v1, v2")
	f(`{"do":"deploy","part":"moon","value":"v2"}`, 400, "to lambda or to kappa")
	f(`{"do":"interval","value":"0s"}`, 400, "takes a time from 1s to 10m")
	f(`{"do":"interval","value":"soon"}`, 400, "takes a time")
	f(`{"part":"kappa serve","force":true}`, 400, "unknown field")
	f(`nonsense`, 400, "body: takes")
	f(`{"do":"`+strings.Repeat("x", mostAsked)+`"}`, 400, "body: takes")

	code, _ := press(s, "text/plain", `{"do":"late"}`) // what a form of another site can send
	require.Equal(t, http.StatusUnsupportedMediaType, code)
}

// Ensure that every button says what it does and which numbers to look at, and that the page has these numbers.
func TestEveryButtonSaysWhatToLookAt(t *testing.T) {
	seen := map[Do]bool{}
	for _, a := range idle(t).buttons.actions() {
		require.NotEmpty(t, a.Label)
		require.Contains(t, []string{"events", "parts", "logic"}, a.Group, a.Label)
		require.True(t, strings.HasSuffix(a.What, "."), a.Label)
		require.Contains(t, ".?", a.Watch[len(a.Watch)-1:], a.Label)
		require.NotEmpty(t, a.Numbers, a.Label)
		for _, n := range a.Numbers {
			require.Contains(t, Numbers, n, a.Label)
		}
		one := Do{a.Do, a.Part, a.Value}
		require.False(t, seen[one], "two buttons ask for %v", one)
		seen[one] = true
	}
	for _, p := range parts {
		if killable(p.Name) {
			require.True(t, seen[Do{Kill, p.Name, ""}], "%s has no button", p.Name)
		}
	}
}

// Ensure that a fleet of a burst shares no name with another one, and that late readings are late for every window.
func TestBurstsAreOfTheirOwn(t *testing.T) {
	s := idle(t)
	var firsts []int
	for range burstFleets - 1 {
		f, _, _ := s.buttons.fleetOf(Spike)
		require.NoError(t, f.Validate())
		require.LessOrEqual(t, f.Cars, mostCars)
		firsts = append(firsts, f.FirstCar)
	}
	slices.Sort(firsts)
	for i := 1; i < len(firsts); i++ {
		require.GreaterOrEqual(t, firsts[i]-firsts[i-1], mostCars)
	}
	rules := carevent.DefaultRules()
	f, _, _ := s.buttons.fleetOf(Late)
	newest := f.Start.Add(f.Duration).UnixMilli()
	closed := time.Now().UnixMilli() - rules.DisorderBound - rules.AllowedLateness - rules.Window
	require.Less(t, newest, closed-1000, "a window that this falls into is closed for good")
}

// Ensure that the page of another site, whose name leads here, is not let in, and that whoever listens to the room lets the room in.
func TestOwnHost(t *testing.T) {
	f := func(listens, asked string, want int) {
		t.Helper()
		addr, err := net.ResolveTCPAddr("tcp", listens)
		require.NoError(t, err)
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = asked
		ownHost(addr, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		require.Equal(t, want, w.Code, "%s at %s", asked, listens)
	}
	f("127.0.0.1:8090", "127.0.0.1:8090", 200)
	f("127.0.0.1:8090", "localhost:8090", 200)
	f("127.0.0.1:8090", "[::1]:8090", 200)
	f("127.0.0.1:8090", "evil.example:8090", 403)
	f("0.0.0.0:8090", "teacher.local:8090", 200)
}

// Ensure that what is printed can be typed into a browser, by the teacher and by the room.
func TestReachable(t *testing.T) {
	own, room := reachable(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8090})
	require.Equal(t, "http://127.0.0.1:8090", own)
	require.Empty(t, room)
	for _, every := range []net.IP{net.IPv4zero, net.IPv6unspecified} {
		own, room = reachable(&net.TCPAddr{IP: every, Port: 8090})
		require.Equal(t, "http://127.0.0.1:8090", own)
		for _, others := range room {
			require.NotContains(t, others, "127.0.0.1")
			require.NotContains(t, others, "[::")
			require.True(t, strings.HasPrefix(others, "http://") && strings.HasSuffix(others, ":8090"), others)
		}
	}
}

// Ensure that a page whose usual port is taken says so and takes a free one, and that one that was told where to be does not
// go elsewhere.
func TestListenTakesAFreePort(t *testing.T) {
	first, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer first.Close()
	usual := first.Addr().String()
	var said []string
	cfg := DefaultConfig()
	cfg.Say = func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }

	elsewhere, err := listenAt(cfg, usual)
	require.NoError(t, err)
	defer elsewhere.Close()
	require.NotEqual(t, usual, elsewhere.Addr().String())
	require.Equal(t, []string{usual + " is taken: another port it is"}, said)

	cfg.Listen = usual
	_, err = listenAt(cfg, "127.0.0.1:0")
	require.ErrorContains(t, err, "--listen")

	require.NoError(t, first.Close())
	cfg.Listen = ""
	again, err := listenAt(cfg, usual)
	require.NoError(t, err)
	defer again.Close()
	require.Equal(t, usual, again.Addr().String())
	require.Len(t, said, 1)
}

// Ensure that what cannot work is named before anything starts.
func TestConfigErrors(t *testing.T) {
	f := func(want string, change func(*Config)) {
		t.Helper()
		cfg := DefaultConfig()
		change(&cfg)
		require.ErrorContains(t, cfg.Validate(), want)
	}
	require.NoError(t, DefaultConfig().Validate())
	f("rate 0", func(c *Config) { c.Rate = 0 })
	f("cars 3: too few", func(c *Config) { c.Cars = 3 })
	f("cars 99999", func(c *Config) { c.Cars = 99_999 })
	f("interval 1ms", func(c *Config) { c.Interval = time.Millisecond })
	f("keep 1m0s: takes at least", func(c *Config) { c.Keep = time.Minute })
	f("cannot find itself", func(c *Config) { c.Binary = "" })
}

// Ensure that data of somebody else is not mixed with, and not removed.
func TestTheFolderIsOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	cfg := Config{Dir: dir}
	made, err := makeDir(&cfg)
	require.NoError(t, err)
	require.False(t, made, "it was there: it stays")
	cfg.Dir = dir + "/new"
	made, err = makeDir(&cfg)
	require.NoError(t, err)
	require.True(t, made)
	cfg.Dir = dir
	_, err = makeDir(&cfg)
	require.ErrorContains(t, err, "is not empty")
}
