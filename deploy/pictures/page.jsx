// Draws one dashboard with Grafana's own components, as `drawn` says it: its JSON, and what Prometheus answered.
import React from 'react';
import { createRoot } from 'react-dom/client';
import {
  createTheme, dateTime, EventBusSrv, FieldType, getDisplayProcessor, getDisplayValueAlignmentFactors,
  getFieldDisplayValues, ThemeContext,
} from '@grafana/data';
import {
  BarGauge, BigValue, GlobalStyles, PanelChrome, PanelContextProvider, Table, TimeSeries, VizRepeater,
} from '@grafana/ui';
import '@fontsource/inter/400.css';
import '@fontsource/inter/500.css';

const { board, answers, from, to } = window.drawn;
board.panels.forEach((panel, at) => { panel.answers = answers[at]; });
const theme = createTheme({ colors: { mode: 'light' } });
const ZONE = 'utc';
// As Grafana's grid has it: 24 columns, rows of 30 pixels, gaps of 8.
const WIDTH = 1440, COLUMN = WIDTH / 24, ROW = 38, GAP = 8;
// What the plugins of Grafana take where a dashboard says nothing.
const COLOUR = { timeseries: 'palette-classic' };
const CUSTOM = {
  timeseries: {
    drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, fillOpacity: 0, gradientMode: 'none',
    showPoints: 'never', pointSize: 5, spanNulls: false, axisPlacement: 'auto', axisLabel: '',
    axisColorMode: 'text', scaleDistribution: { type: 'linear' }, axisCenteredZero: false,
    hideFrom: { tooltip: false, viz: false, legend: false }, thresholdsStyle: { mode: 'off' },
    stacking: { mode: 'none', group: 'A' },
  },
  table: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false },
};

function configured(panel, values, name, index) {
  const { custom, ...defaults } = panel.fieldConfig.defaults;
  const field = {
    ...values,
    config: {
      color: { mode: COLOUR[panel.type] ?? 'thresholds' },
      ...defaults,
      ...(name ? { displayNameFromDS: name } : {}),
      custom: { ...CUSTOM[panel.type], ...custom, ...overridden(panel, values), stacking: stacking(custom) },
    },
    state: { seriesIndex: index, displayName: name || undefined },
  };
  field.display = getDisplayProcessor({ field, theme, timeZone: ZONE });
  return field;
}

function overridden(panel, { name }) {
  const own = panel.fieldConfig.overrides.filter(({ matcher }) => matcher.options.names.includes(name));
  const said = own.flatMap(({ properties }) => properties);
  return Object.fromEntries(said.map(({ id, value }) => [id.replace('custom.', ''), value]));
}

function stacking(custom) {
  return { group: 'A', mode: 'none', ...custom?.stacking };
}

function named(legend, labels) {
  return legend.replace(/{{\s*(\w+)\s*}}/g, (_, label) => labels[label] ?? '');
}

// One frame for each line of an answer.
function frames(panel) {
  const found = panel.targets.flatMap((target, at) =>
    panel.answers[at].map((line) => ({ target, line })));
  return found.map(({ target, line }, index) => {
    const points = line.values ?? [line.value];
    const time = { name: 'Time', type: FieldType.time, config: {}, values: points.map(([at]) => at * 1000) };
    time.display = getDisplayProcessor({ field: time, theme, timeZone: ZONE });
    const values = points.map(([, value]) => (value === 'NaN' ? null : Number(value)));
    const number = { name: 'Value', type: FieldType.number, labels: line.metric, values };
    const name = named(target.legendFormat, line.metric);
    return { refId: target.refId, length: points.length, fields: [time, configured(panel, number, name, index)] };
  });
}

// One frame for the whole answer, a column for each label.
function tabled(panel) {
  const lines = panel.answers.flat();
  const labels = [...new Set(lines.flatMap((line) => Object.keys(line.metric)))].sort();
  const numbers = lines.map((line) => Number(line.value[1]));
  const organised = panel.transformations?.[0]?.options ?? {};
  const called = (name) => organised.renameByName?.[name] ?? name;
  const columns = labels.map((label) => {
    const values = lines.map((line) => line.metric[label] ?? '');
    return configured(panel, { name: called(label), type: FieldType.string, values }, '', 0);
  });
  const value = { name: called('Value'), type: FieldType.number, values: numbers };
  return { length: lines.length, fields: [...columns, configured(panel, value, '', 0)] };
}

function Lines({ panel, width, height }) {
  const range = { from: dateTime(from * 1000), to: dateTime(to * 1000), raw: { from: 'now-1h', to: 'now' } };
  return (
    <TimeSeries frames={frames(panel)} timeRange={range} timeZone={ZONE} width={width} height={height}
      legend={panel.options.legend} options={panel.options} theme={theme}>
      {() => null}
    </TimeSeries>
  );
}

function Repeated({ panel, width, height, children }) {
  const drawn = frames(panel);
  if (panel.type === 'bargauge') {
    const last = drawn.map(({ fields }) => fields[1].values.at(-1));
    drawn.forEach(({ fields }) => { fields[1].config.max = Math.max(...last); });
  }
  const values = () => getFieldDisplayValues({
    fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions, replaceVariables: (text) => text,
    theme, data: drawn, sparkline: panel.type === 'stat', timeZone: ZONE,
  });
  return (
    <VizRepeater getValues={values} width={width} height={height} source={null} renderCounter={0}
      orientation={panel.options.orientation} autoGrid itemSpacing={panel.type === 'stat' ? 3 : 10}
      minVizHeight={panel.options.minVizHeight} maxVizHeight={panel.options.maxVizHeight}
      renderValue={children} getAlignmentFactors={getDisplayValueAlignmentFactors} />
  );
}

function Numbers(props) {
  const { panel } = props;
  return (
    <Repeated {...props}>
      {({ value, width, height, count, alignmentFactors }) => (
        <BigValue value={value.display} alignmentFactors={alignmentFactors} sparkline={value.sparkline} theme={theme} width={width} height={height}
          count={count} colorMode={panel.options.colorMode} graphMode={panel.options.graphMode}
          justifyMode={panel.options.justifyMode} textMode={panel.options.textMode} wideLayout />
      )}
    </Repeated>
  );
}

function Bars(props) {
  const { panel } = props;
  return (
    <Repeated {...props}>
      {({ value, width, height, orientation, alignmentFactors }) => (
        <BarGauge value={value.display} alignmentFactors={alignmentFactors} field={value.field} display={value.view?.getFieldDisplayProcessor(value.colIndex)}
          theme={theme} width={width} height={height} orientation={orientation}
          displayMode={panel.options.displayMode} valueDisplayMode={panel.options.valueMode}
          text={panel.options.text} showUnfilled={panel.options.showUnfilled} itemSpacing={10} lcdCellWidth={12} />
      )}
    </Repeated>
  );
}

function Rows({ panel, width, height }) {
  return <Table data={tabled(panel)} width={width} height={height} showTypeIcons={false} noHeader={false} />;
}

const KINDS = { timeseries: Lines, stat: Numbers, bargauge: Bars, table: Rows };

function Panel({ panel }) {
  const { x, y, w, h } = panel.gridPos;
  const place = { position: 'absolute', left: x * COLUMN, top: y * ROW };
  if (panel.type === 'row') {
    return <h2 style={{ ...place, margin: 0, font: '500 16px Inter', lineHeight: '30px' }}>{panel.title}</h2>;
  }
  const Kind = KINDS[panel.type];
  const isEmpty = !panel.answers.some((lines) => lines.length);
  return (
    <div style={place}>
      <PanelChrome title={panel.title} description={panel.description} width={w * COLUMN - GAP} height={h * ROW - GAP}>
        {(width, height) => (isEmpty ? <p>No data</p> : <Kind panel={panel} width={width} height={height} />)}
      </PanelChrome>
    </div>
  );
}

function Board() {
  const height = Math.max(...board.panels.map(({ gridPos }) => gridPos.y + gridPos.h)) * ROW + 60;
  return (
    <main style={{ position: 'relative', width: WIDTH, height }}>
      <h1 style={{ margin: 0, font: '500 20px Inter', lineHeight: '48px' }}>{board.title}</h1>
      <div style={{ position: 'relative' }}>
        {board.panels.map((panel, at) => <Panel key={at} panel={panel} />)}
      </div>
    </main>
  );
}

document.body.style = `margin: 16px; background: ${theme.colors.background.canvas}; color: ${theme.colors.text.primary};`
  + ' font: 14px Inter';
const context = { eventBus: new EventBusSrv(), eventsScope: '', canAddAnnotations: () => false };
createRoot(document.getElementById('root')).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles /><PanelContextProvider value={context}><Board /></PanelContextProvider>
  </ThemeContext.Provider>,
);
