// Reading and rewriting ONNX models, to see inside them: more outputs, a branch on its own, and
// weights without activation quantisation.

import {existsSync, readFileSync} from 'node:fs';
import protobuf from 'protobufjs/index.js';

// Where Debian's libonnx-dev puts the schema.
const kSchema = process.env.ONNX_PROTO ?? '/usr/include/onnx/onnx.proto';
const kFloat = 1;
const kInt64 = 7;

function ModelProto() {
  if (!existsSync(kSchema)) {
    throw new Error(`${kSchema} is missing: install libonnx-dev, or name the file in ONNX_PROTO`);
  }
  return protobuf.parse(readFileSync(kSchema, 'utf8'), {keepCase: true})
      .root.lookupType('onnx.ModelProto');
}

const kModelProto = ModelProto();

export function ReadModel(file) {
  return kModelProto.decode(readFileSync(file));
}

export function Encoded(model) {
  return kModelProto.encode(model).finish();
}

/// Makes `names` outputs of the graph too.
export function Expose(graph, names) {
  const produced = new Set(graph.node.flatMap((node) => node.output));
  for (const name of names) {
    if (!produced.has(name)) throw new Error(`the graph makes no ${name}`);
    graph.output.push({name, type: {tensor_type: {elem_type: kFloat}}});
  }
}

/// Puts the nodes of one branch of the graph's If in the place of the graph's.
export function HoistBranch(graph, branch) {
  const choice = graph.node.find((node) => node.op_type === 'If');
  const inner = choice.attribute.find((attribute) => attribute.name === branch).g;
  graph.node = inner.node;
  graph.initializer.push(...inner.initializer);
  graph.output = inner.output;
}

const Node = (op_type, input, output, attribute = []) =>
    ({op_type, input, output: [output], attribute});
const Ints = (name, ints) => ({name, type: 7, ints});
const Int = (name, i) => ({name, type: 2, i});

function Constant(graph, name, tensor) {
  if (!graph.initializer.some((other) => other.name === name)) graph.initializer.push({name, ...tensor});
  return name;
}
const Float = (graph, value) =>
    Constant(graph, `float:${value}`, {data_type: kFloat, dims: [], float_data: [value]});
const Int64s = (graph, name, values, dims = [values.length]) =>
    Constant(graph, name, {data_type: kInt64, dims, int64_data: values});

/// Nodes that round `input` as Lethe quantises activations, and the name of what they give: each
/// row to 256 steps between its smallest and largest value, 0 among them (kernels/kernels.h,
/// quantize_rows).
function RoundedPerRow(graph, input) {
  const name = (what) => `${input}:per_row:${what}`;
  const keep = [Ints('axes', [-1]), Int('keepdims', 1)];
  const zero = Float(graph, 0);
  const steps = Float(graph, 255);
  const nodes = [
    Node('ReduceMin', [input], name('min'), keep),
    Node('ReduceMax', [input], name('max'), keep),
    Node('Min', [name('min'), zero], name('low')),
    Node('Max', [name('max'), zero], name('high')),
    Node('Sub', [name('high'), name('low')], name('range')),
    Node('Div', [steps, name('range')], name('inverse')),
    Node('Div', [name('range'), steps], name('scale')),
    Node('Mul', [name('low'), name('inverse')], name('offset')),
    Node('Neg', [name('offset')], name('negated')),
    Node('Round', [name('negated')], name('zero')),
    Node('Mul', [input, name('inverse')], name('scaled')),
    Node('Round', [name('scaled')], name('whole')),
    Node('Add', [name('whole'), name('zero')], name('shifted')),
    Node('Clip', [name('shifted'), zero, steps], name('q')),
    Node('Sub', [name('q'), name('zero')], name('centred')),
    Node('Mul', [name('centred'), name('scale')], name('rounded')),
  ];
  return {nodes, output: name('rounded')};
}

/// Undoes the quantisation of activations: every DynamicQuantizeLinear -> MatMulInteger -> Cast ->
/// Mul becomes DequantizeLinear of the same 8-bit weight and a MatMul in float, its input rounded
/// per row or not at all.
export function WithFloatActivations(graph, {per_row = false} = {}) {
  const producer = new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node])));
  const user = new Map(graph.node.flatMap((node) => node.input.map((name) => [name, node])));
  const removed = new Set();
  const rounded = new Set();
  const added = new Map();  // node replaced -> nodes in its place
  for (const product of graph.node.filter((node) => node.op_type === 'MatMulInteger')) {
    const [activation, weight, , zero_point] = product.input;
    const quantise = producer.get(activation);
    const cast = user.get(product.output[0]);
    const rescale = user.get(cast.output[0]);
    const scales = producer.get(rescale.input[1]);
    const shape = [quantise, cast, rescale, scales].map((node) => node.op_type).join(' ');
    if (shape !== 'DynamicQuantizeLinear Cast Mul Mul') {
      throw new Error(`${product.name} stands among ${shape}`);
    }
    for (const node of [product, cast, scales, quantise]) removed.add(node);
    const dequantised = `${product.name}:weight`;
    const nodes = [Node('DequantizeLinear', [weight, scales.input[1], zero_point], dequantised)];
    let [input] = quantise.input;
    if (per_row) {
      const round = RoundedPerRow(graph, input);
      if (!rounded.has(input)) nodes.push(...round.nodes);
      rounded.add(input);
      input = round.output;
    }
    nodes.push(Node('MatMul', [input, dequantised], rescale.output[0]));
    added.set(rescale, nodes);
  }
  graph.node = graph.node.filter((node) => !removed.has(node))
      .flatMap((node) => added.get(node) ?? [node]);
}

/// Rounds the first input of the node called `name`, a MatMul, per row.
export function RoundInput(graph, name) {
  graph.node = graph.node.flatMap((node) => {
    if (node.name !== name) return [node];
    const {nodes, output} = RoundedPerRow(graph, node.input[0]);
    node.input[0] = output;
    return [...nodes, node];
  });
}

/// Turns the convolution called `name` over `inputs` steps of time into a product of windows, each
/// window a row that is rounded as a whole; returns its number of outputs.
export function RoundConvolutionWindows(graph, name, inputs) {
  let outputs = 0;
  graph.node = graph.node.flatMap((node) => {
    if (node.name !== name) return [node];
    const Attribute = (wanted) => Number(node.attribute.find(({name}) => name === wanted).ints[0]);
    const [width, stride] = [Attribute('kernel_shape'), Attribute('strides')];
    outputs = Math.floor((inputs - width) / stride) + 1;
    const places = Array.from({length: outputs * width},
                              (_, i) => Math.floor(i / width) * stride + i % width);
    const [input, weight, bias] = node.input;
    const Name = (what) => `${name}:${what}`;
    const round = RoundedPerRow(graph, Name('rows'));
    return [
      Node('Transpose', [input], Name('time_first'), [Ints('perm', [0, 2, 1])]),
      Node('Gather', [Name('time_first'), Int64s(graph, Name('places'), places, [outputs, width])],
           Name('windows'), [Int('axis', 1)]),
      Node('Reshape', [Name('windows'), Int64s(graph, Name('row_shape'), [1, outputs, -1])],
           Name('rows')),
      ...round.nodes,
      Node('Transpose', [weight], Name('taps_first'), [Ints('perm', [2, 1, 0])]),
      Node('Shape', [bias], Name('channels')),
      Node('Concat', [Int64s(graph, 'int64:-1', [-1]), Name('channels')], Name('matrix_shape'),
           [Int('axis', 0)]),
      Node('Reshape', [Name('taps_first'), Name('matrix_shape')], Name('matrix')),
      Node('MatMul', [round.output, Name('matrix')], Name('product')),
      Node('Add', [Name('product'), bias], Name('biased')),
      Node('Transpose', [Name('biased')], node.output[0], [Ints('perm', [0, 2, 1])]),
    ];
  });
  return outputs;
}
