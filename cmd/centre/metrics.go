package centre

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"freizeichen/sip"
	"freizeichen/sip/acd"
)

// Metrics are figures for Prometheus: of queues and of the program, nothing of callers, nothing of agents.
type Metrics struct {
	registry *prometheus.Registry
	news     *prometheus.CounterVec
	commands *prometheus.CounterVec
	replies  *prometheus.CounterVec
}

// NewMetrics makes counters; Observe counts into them.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		news:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "switchboard_presence_publishes_total", Help: "Texts handed to presence, by what they are about: a queue, or the agent at one phone (the text names no agent)."}, []string{"about"}),
		commands: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "switchboard_pbx_commands_total", Help: "Commands to the PBX: add or remove or pause a member of a queue, or tell the whole view again (resync)."}, []string{"command"}),
		replies:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "switchboard_agent_replies_total", Help: "Replies to what agents asked for at their phones, by problem; none is a success."}, []string{"problem"}),
	}
	m.registry.MustRegister(m.news, m.commands, m.replies, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// CertificateEnds tells when phones and browsers will refuse the switchboard: somebody may be woken a month before.
func (m *Metrics) CertificateEnds(at time.Time) {
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "switchboard_certificate_end_timestamp_seconds", Help: "When the switchboard's own certificate ends, in Unix time."})
	gauge.Set(float64(at.Unix()))
	m.registry.MustRegister(gauge)
}

// Observe counts an effect: Config.Observe.
func (m *Metrics) Observe(e acd.Effect) {
	switch e := e.(type) {
	case acd.PublishQueue:
		m.news.WithLabelValues("queue").Inc()
	case acd.PublishBell:
		m.news.WithLabelValues("agent").Inc()
	case acd.MemberAdd:
		m.commands.WithLabelValues("add").Inc()
	case acd.MemberRemove:
		m.commands.WithLabelValues("remove").Inc()
	case acd.MemberPause:
		m.commands.WithLabelValues("pause").Inc()
	case acd.Resync:
		m.commands.WithLabelValues("resync").Inc()
	case acd.Reply:
		m.replies.WithLabelValues(e.Reply.Problem.String()).Inc()
	}
}

// Handler answers Prometheus with the counters and how the queues of a centre stand.
func (m *Metrics) Handler(c *Centre) http.Handler {
	m.registry.MustRegister(queueCollector{c})
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// Instrument counts the requests of a handler and how long they take, by method and status.
func (m *Metrics) Instrument(name string, handler http.Handler) http.Handler {
	labels := prometheus.Labels{"handler": name}
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "switchboard_http_requests_total", Help: "HTTPS requests that were answered, by status and method.", ConstLabels: labels}, []string{"code", "method"})
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "switchboard_http_request_seconds", Help: "How long answers to HTTPS requests took, in seconds.", ConstLabels: labels,
		Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 3}}, []string{})
	m.registry.MustRegister(requests, duration)
	return promhttp.InstrumentHandlerDuration(duration, promhttp.InstrumentHandlerCounter(requests, handler))
}

// A figure is one value of a queue.
type figure struct {
	name, help string
	counter    bool // since midnight: falls to 0 then, which Prometheus takes for a restart
	value      func(sip.QueueStatus) int
}

func gauges() []figure {
	return []figure{
		{"switchboard_queue_waiting", "Callers who wait in the queue now.", false, func(s sip.QueueStatus) int { return s.Waiting }},
		{"switchboard_queue_agents_signed_in", "Agents who are signed in to the queue now.", false, func(s sip.QueueStatus) int { return s.SignedIn }},
		{"switchboard_queue_agents_free", "Agents signed in to the queue who could take a call now.", false, func(s sip.QueueStatus) int { return s.Free }},
		{"switchboard_queue_agents_paused", "Agents signed in to the queue who pause or wrap up now.", false, func(s sip.QueueStatus) int { return s.Paused }},
		{"switchboard_queue_offered_total", "Callers who have left the queue since midnight, answered or not.", true, func(s sip.QueueStatus) int { return s.Level.Offered }},
		{"switchboard_queue_answered_total", "Callers who were answered since midnight.", true, func(s sip.QueueStatus) int { return s.Level.Answered }},
		{"switchboard_queue_answered_in_time_total", "Callers who were answered since midnight, within the time that is promised.", true, func(s sip.QueueStatus) int { return s.Level.AnsweredInTime }},
		{"switchboard_queue_abandoned_total", "Callers who gave up or were sent away since midnight.", true, func(s sip.QueueStatus) int { return s.Level.Abandoned }},
		{"switchboard_queue_abandoned_in_time_total", "Callers who gave up or were sent away since midnight, within the time that is promised.", true, func(s sip.QueueStatus) int { return s.Level.AbandonedInTime }},
	}
}

// A queueCollector reads the queues when it is asked.
type queueCollector struct{ centre *Centre }

// Describe sends nothing: an unchecked collector, whose queues are known when it collects.
func (queueCollector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (q queueCollector) Collect(into chan<- prometheus.Metric) {
	view := q.centre.Snapshot()
	up := 0.0
	if view.Connected {
		up = 1
	}
	into <- prometheus.MustNewConstMetric(prometheus.NewDesc("switchboard_pbx_up", "1 while the PBX is connected and its view complete.", nil, nil), prometheus.GaugeValue, up)
	for _, f := range gauges() {
		kind := prometheus.GaugeValue
		if f.counter {
			kind = prometheus.CounterValue
		}
		desc := prometheus.NewDesc(f.name, f.help, []string{"queue"}, nil)
		for _, queue := range view.Queues {
			// What is not known is not told: a gap in the curve, no calm queue.
			if view.Connected && queue.Exists {
				into <- prometheus.MustNewConstMetric(desc, kind, float64(f.value(queue.Status)), queue.Status.Queue)
			}
		}
	}
}
