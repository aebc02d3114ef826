package doctor

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"lambdakappa/internal/proc"
)

// A port is one that something takes unless it is told otherwise.
type port struct {
	number int
	remedy string
}

// ports are those of the live page, which takes a free one instead, and of the README's commands by hand. All else takes
// free ones.
var ports = []port{
	{8090, "bookmark what 'demo' prints: it takes a free one"},
	{9092, "give 'broker' another --port, and the others the same in --brokers"},
	{8081, "give 'broker' another --registry-port, and the others the same in --schema-registry"},
	{8082, "give 'kappa serve' another --listen"},
	{8083, "give 'lambda serve' another --listen"},
}

// ownerLimit is how long the system may look for the owner of a port.
const ownerLimit = 3 * time.Second

func checkPorts(ctx context.Context, _ Options) Check {
	if err := loopback(); err != nil {
		return Check{
			Name: "ports", Verdict: Failed, Says: fmt.Sprintf("no connection within this machine: %v", err),
			Remedy: "allow this program connections to 127.0.0.1, in a firewall or a virus scanner",
		}
	}
	return judgePorts(ctx, ports)
}

// judgePorts tries to take every port for a moment.
func judgePorts(ctx context.Context, ports []port) Check {
	c := Check{Name: "ports", Verdict: OK}
	var free, taken, remedies []string
	for _, p := range ports {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(p.number)))
		if err == nil {
			_ = l.Close()
			free = append(free, strconv.Itoa(p.number))
			continue
		}
		taken = append(taken, fmt.Sprintf("%d is taken%s", p.number, owner(ctx, p.number)))
		remedies = append(remedies, p.remedy)
	}
	if len(free) > 0 {
		taken = append(taken, strings.Join(free, ", ")+" free")
	}
	c.Says = strings.Join(taken, ", ")
	if len(remedies) > 0 {
		c.Verdict, c.Remedy = Warning, "end it, or "+strings.Join(remedies, "; ")+"; all else takes free ports"
	}
	return c
}

// owner says who holds a port, as far as the system tells.
func owner(ctx context.Context, port int) string {
	ctx, cancel := context.WithTimeout(ctx, ownerLimit)
	defer cancel()
	o, found := proc.PortOwner(ctx, port)
	if !found {
		return " (by whom is " + unknown + ")"
	}
	return fmt.Sprintf(" by %s (process %d)", o.Name, o.PID)
}

// loopback sends a byte from this process to itself, as components do.
func loopback() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	to, err := net.DialTimeout("tcp", l.Addr().String(), 2*time.Second)
	if err != nil {
		return err
	}
	defer to.Close()
	from, err := l.Accept()
	if err != nil {
		return err
	}
	defer from.Close()
	if _, err := to.Write([]byte{1}); err != nil {
		return err
	}
	if err := from.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return err
	}
	_, err = from.Read(make([]byte, 1))
	return err
}
