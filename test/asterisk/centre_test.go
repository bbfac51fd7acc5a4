package asterisk

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"freizeichen/device/console"
	"freizeichen/firmware/knowledge"
	"freizeichen/test/tool"
)

// queues that nobody serves but those who sign in; 02812071 to 02812073 lead there.
var queues = []string{"kw-zulassung", "kw-soziales", "moers"}

// PINs are the agents' numbers backwards.
const roster = `number,name,pin,queues
4711,Hopper,1174,kw-zulassung kw-soziales moers
4712,Lovelace,2174,kw-zulassung kw-soziales moers
4713,Liskov,3174,kw-zulassung kw-soziales moers
4714,Hamilton,4174,xanten kw-zulassung kw-soziales moers
`

// furniture is the folder of what each switchboard gets a copy of: certificate, database and knowledge.
func furniture() string { return filepath.Join(os.Getenv(programsVariable), "furniture") }

// furnished makes the furniture as an operator does, by commands, once; it gives the secrets of the phones.
var furnished = sync.OnceValues(func() (map[string]string, error) {
	dir := furniture()
	err := os.Mkdir(dir, 0o700)
	for name, text := range map[string]string{
		"switchboard.yaml": configuration("127.0.0.1:5038", "127.0.0.1:8443", "127.0.0.1:9115", dir), "agents.csv": roster, "knowledge.yaml": string(knowledge.Example()),
	} {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	command := func(words ...string) string {
		out, problem := program(dir, words...).CombinedOutput()
		if problem != nil {
			err = errors.Join(err, fmt.Errorf("switchboard %v: %w\n%s", words, problem, out))
		}
		return strings.TrimSpace(string(out))
	}
	command("certificate", "-out", dir, "127.0.0.1")
	command("check")
	command("agents", "import", filepath.Join(dir, "agents.csv"))
	secrets := map[string]string{}
	for _, phone := range []string{"201", "202", "203", "205", auditor} {
		said := command("phones", "add", phone)
		secrets[phone] = said[strings.LastIndexByte(said, ' ')+1:]
	}
	return secrets, errors.Join(err, os.Remove(filepath.Join(dir, "switchboard.yaml"))) // each switchboard has its own
})

// configuration is the file of a switchboard.
func configuration(manager, https, metrics, dir string) string {
	text := fmt.Sprintf(`asterisk:
  address: %[1]s
  secret: %[2]s
https:
  listen: %[3]s
  certificate: %[5]s/switchboard.crt
  key: %[5]s/switchboard.key
metrics: %[4]s
database: %[5]s/switchboard.db
data: %[5]s
knowledge: %[5]s/knowledge.yaml
queues:
`, manager, Password, https, metrics, dir)
	for _, queue := range queues {
		text += fmt.Sprintf("  - {name: %s, within: 3s, target: 80, wrap-up: 1m}\n", queue)
	}
	return text
}

// auditor is a phone that the switchboard knows and that only asks for figures.
const auditor = "299"

// A service is the program switchboard beside the PBX, with its own certificate, database and list of agents.
type service struct {
	t       *testing.T
	pbx     *PBX
	dir     string
	https   string // address
	metrics string // address
	secrets map[string]string
	process *exec.Cmd
	exited  chan struct{}
}

// A change replaces a text of the switchboard's configuration.
type change struct{ old, new string }

// startService configures the switchboard and runs it until the test ends.
func startService(t *testing.T, pbx *PBX, changes ...change) *service {
	t.Helper()
	if _, err := programs(); err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, pbx: pbx, dir: t.TempDir()}
	var err error
	if s.secrets, err = furnished(); err != nil {
		t.Fatal(err)
	}
	s.https, s.metrics = fmt.Sprintf("127.0.0.1:%d", tool.FreePort(t)), fmt.Sprintf("127.0.0.1:%d", tool.FreePort(t))
	text := configuration(pbx.Manager(), s.https, s.metrics, s.dir)
	for _, c := range changes {
		if !strings.Contains(text, c.old) {
			t.Fatalf("the configuration does not have %q", c.old)
		}
		text = strings.ReplaceAll(text, c.old, c.new)
	}
	if err := errors.Join(os.CopyFS(s.dir, os.DirFS(furniture())), os.WriteFile(filepath.Join(s.dir, "switchboard.yaml"), []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.process != nil {
			s.stop()
		}
		if t.Failed() {
			t.Logf("what the switchboard said:\n%s", tail(s.said(), 60))
		}
	})
	s.run()
	return s
}

// program is the switchboard with the configuration in a folder.
func program(dir string, words ...string) *exec.Cmd {
	bin, _ := programs() // startService has seen its error
	c := exec.Command(filepath.Join(bin, "switchboard"), append([]string{"-config", filepath.Join(dir, "switchboard.yaml")}, words...)...)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return c
}

// run starts the switchboard, and waits until it answers.
func (s *service) run() {
	s.t.Helper()
	output, err := os.OpenFile(filepath.Join(s.dir, "output"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer output.Close() // the process has its own
	process, exited := program(s.dir, "run"), make(chan struct{})
	process.Stdout, process.Stderr = output, output
	if err := process.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.process, s.exited = process, exited
	go func() {
		_ = process.Wait() // what it says is in its output
		close(exited)
	}()
	s.pbx.wait(startMax, "the switchboard answers", func() bool {
		select {
		case <-exited:
			s.t.Fatalf("the switchboard ended:\n%s", tail(s.said(), 20))
		default:
		}
		_, err := s.measured()
		return err == nil
	})
}

// stop ends the switchboard as its system does.
func (s *service) stop() {
	s.t.Helper()
	terminate(s.t, "switchboard", s.process, s.exited)
	s.process = nil
}

// kill ends it as a power cut does.
func (s *service) kill() {
	_ = s.process.Process.Kill()
	<-s.exited
	s.process = nil
}

func (s *service) said() string {
	data, err := os.ReadFile(filepath.Join(s.dir, "output"))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// waitSaid waits until the switchboard has logged all of the texts.
func (s *service) waitSaid(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		s.pbx.wait(registerMax, fmt.Sprintf("the switchboard says %q", text), func() bool { return strings.Contains(s.said(), text) })
	}
}

// measured is what Prometheus is told: the value by name and queue, "switchboard_queue_waiting moers".
func (s *service) measured() (map[string]int, error) {
	response, err := http.Get("http://" + s.metrics + "/metrics")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	values := map[string]int{}
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if n, err := strconv.ParseFloat(value, 64); err == nil && strings.HasPrefix(name, "switchboard_") {
			values[strings.NewReplacer(`{queue="`, " ", `"}`, "").Replace(name)] = int(n)
		}
	}
	return values, nil
}

// value is one figure of measured, -1 while the switchboard does not tell it.
func (s *service) value(name string) int {
	values, err := s.measured()
	if err != nil {
		return -1
	}
	if value, told := values["switchboard_"+name]; told {
		return value
	}
	return -1
}

func (s *service) waitValue(name string, want int) {
	s.t.Helper()
	s.pbx.wait(registerMax, fmt.Sprintf("%s is %d", name, want), func() bool { return s.value(name) == want })
}

// A tally is part of the answer of /v1/figures.
type tally struct{ Calls, Solved, Forwarded, Messages, Unsaid int }

// figures are the day's, as a phone gets them.
func (s *service) figures(phone string) (team, own tally) {
	s.t.Helper()
	authority, err := os.ReadFile(filepath.Join(s.dir, "authority.crt"))
	if err != nil {
		s.t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(authority)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}, DisableKeepAlives: true}, Timeout: commandMax}
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "https://"+s.https+"/v1/figures", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	request.SetBasicAuth(phone, s.secrets[phone])
	response, err := client.Do(request)
	if err != nil {
		return tally{}, tally{}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	var answer struct{ Team, Own tally }
	if err != nil || json.Unmarshal(body, &answer) != nil {
		s.t.Errorf("figures: %s %v", body, err)
	}
	return answer.Team, answer.Own
}

// waitFigures waits until a phone is told what fits. It asks seldom: the switchboard counts every 5 s, and a phone that asks
// too often is refused.
func (s *service) waitFigures(phone, what string, fits func(team, own tally) bool) {
	s.t.Helper()
	var team, own tally
	for deadline := time.Now().Add(registerMax); ; time.Sleep(time.Second) {
		if team, own = s.figures(phone); fits(team, own) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("waited %s in vain until %s; phone %s is told %+v of the team, and %+v of its agent", registerMax, what, phone, team, own)
		}
	}
}

// A seat is a phone with an agent's desk.
type seat struct {
	*phone
	service *service
	user    string
	config  string    // file
	over    time.Time // since when the work after a call is seen on the panel; zero: it is not
}

// seat starts a phone that knows the switchboard.
func (s *service) seat(user string) *seat {
	s.t.Helper()
	data := s.t.TempDir()
	config := filepath.Join(s.t.TempDir(), "phone.yaml")
	text := fmt.Sprintf(`call-centre:
  switchboard: {url: "https://%s", secret: %s, ca: %s/authority.crt}
  queues: [%s]
  pause-reasons: [{id: break, code: "*471"}, {id: meeting, code: "*472"}, {id: training, code: "*473"}]
  feature-codes: {sign-in: "*45", sign-out: "*46", ready: "*48"}
  data: %s
`, s.https, s.secrets[user], s.dir, strings.Join(queues, ", "), data)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	d := &seat{service: s, user: user, config: config}
	d.start()
	return d
}

// start switches the phone on.
func (d *seat) start() {
	d.service.t.Helper()
	d.phone = startPhone(d.service.t, d.service.pbx, d.user, "-config", d.config)
	d.service.pbx.WaitRegistered(d.user)
}

// ask is what phonectl does, on the phone's socket, without a program for each look and each key.
func (d *seat) ask(verb, argument string) console.Response {
	response, err := console.Ask(d.socket, console.Request{Verb: verb, Argument: argument})
	if err != nil {
		return console.Response{Status: console.Refused, Text: err.Error()}
	}
	return response
}

// look is what phonectl prints.
func (d *seat) look(verb string) string { return d.ask(verb, "").Text }

// press presses keys one after another: "soft3", "4", "#".
func (d *seat) press(keys ...string) {
	d.t.Helper()
	for _, key := range keys {
		if r := d.ask("press", key); r.Status != console.Done {
			d.t.Fatalf("press %s: %s", key, r.Text)
		}
	}
}

// softKeys is where the labels of the desk stand.
var softKeys = map[string]string{
	"Anmelden": "soft3", "Pause": "soft3", "Bereit": "soft3", "Menü": "soft4", "Ja": "soft1", "Nein": "soft4",
	"Gelöst": "soft1", "Weitergegeben": "soft2", "Nachricht hinterlassen": "soft3", "Fertig": "soft4",
}

// soft presses the soft key of that label, as soon as it has it.
func (d *seat) soft(label string) {
	d.t.Helper()
	d.wait("a soft key is "+label, func() bool { return d.offers(label) })
	d.press(softKeys[label])
}

// rest is how long the keys beside the screen rest after a call: what is pressed sooner was meant for the call.
const rest = 800 * time.Millisecond

// offers reports whether a soft key has that label, and does what it says.
func (d *seat) offers(label string) bool {
	labels := d.labels()
	if after := slices.Contains(labels, "Fertig"); !after {
		d.over = time.Time{}
	} else if d.over.IsZero() {
		d.over = time.Now()
	}
	return slices.Contains(labels, label) && (d.over.IsZero() || time.Since(d.over) > rest)
}

// labels are those of the soft keys: the panel's last line.
func (d *seat) labels() []string {
	shown := d.look("show")
	_, labels, _ := strings.Cut(shown[strings.LastIndexByte(shown, '\n')+1:], ": ")
	return strings.Split(labels, " · ")
}

// typed presses digits.
func (d *seat) typed(text string) { d.press(strings.Split(text, "")...) }

// signIn signs an agent in by keys; what comes of it the caller looks at.
func (d *seat) signIn(number, pin string) {
	d.t.Helper()
	d.soft("Anmelden")
	d.typed(number + "#" + pin + "#")
}
