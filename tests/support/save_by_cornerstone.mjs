// Structured reports as the adapters of cornerstone, the library of OHIF, write them.
// usage: node save_by_cornerstone.mjs TOOLS.json FOLDER
// TOOLS.json: planes by "UID:frame" as in load_in_cornerstone.mjs, and reports by name, each a list
// of tools: kind, image (a key of planes, or null for a volume), points in patient mm, stats, label.
// A report with "of" is one of ours, loaded and saved again.
import { readFileSync, writeFileSync } from "node:fs";
import dcmjs from "dcmjs";
import { cache, metaData } from "@cornerstonejs/core";
import { adaptersSR } from "@cornerstonejs/adapters";

const { MeasurementReport } = adaptersSR.Cornerstone3D;
const { DicomMessage, DicomMetaDictionary, datasetToDict } = dcmjs.data;
const [asked, folder] = process.argv.slice(2);
const { planes, reports } = JSON.parse(readFileSync(asked, "utf8"));

const facts = (imageId) => ({
  SOPInstanceUID: imageId.split(":")[0],
  SOPClassUID: "1.2.840.10008.5.1.4.1.1.4",
  StudyInstanceUID: "1.2.3",
  SeriesInstanceUID: "1.2.3.4",
  PatientID: "SECRET",
  PatientName: "SECRET^NAME",
  NumberOfFrames: planes[imageId].frames,
  Modality: "MR",
});
metaData.addProvider((type, imageId) => {
  if (!(imageId in planes)) return undefined;
  if (type === "imagePlaneModule") return planes[imageId];
  if (type === "instance") return facts(imageId);
  if (type === "frameNumber") return Number(imageId.split(":")[1]);
  if (type === "sopCommonModule") {
    return { sopInstanceUID: facts(imageId).SOPInstanceUID, sopClassUID: facts(imageId).SOPClassUID };
  }
  return undefined;
}, 10);
cache.getVolume = () => ({ imageIds: [Object.keys(planes)[0]] });

function drawn({ kind, image, points, stats, label, sites }) {
  const imageId = image ?? "none";
  const frame = planes[image ?? Object.keys(planes)[0]].frameOfReferenceUID;
  const metadata = { toolName: kind, FrameOfReferenceUID: frame, volumeId: "volume" };
  if (image) metadata.referencedImageId = image;
  const cachedStats = image ? { [`imageId:${image}`]: stats } : { volume: stats };
  const contour = { polyline: points, closed: true };
  return [imageId, kind, { data: { handles: { points }, contour, cachedStats, label }, metadata, findingSites: sites }];
}

function loaded(path) {
  const bytes = readFileSync(path);
  const file = DicomMessage.readFile(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const dataset = DicomMetaDictionary.naturalizeDataset(file.dict);
  const images = Object.fromEntries(Object.keys(planes).map((key) => [key, key]));
  const tools = MeasurementReport.generateToolState(dataset, images, metaData);
  return Object.entries(tools).flatMap(([kind, found]) =>
    found.map(({ annotation, findingSites }) => {
      const image = annotation.metadata.referencedImageId;
      const stats = { angle: Number(Object.values(annotation.data.cachedStats)[0].angle) };
      if (stats.angle > 180) stats.angle = 360 - stats.angle; // what OHIF calculates anew
      const { label, handles } = annotation.data;
      return { kind, image, points: handles.points.map((one) => Array.from(one)), stats, label, sites: findingSites };
    }),
  );
}

for (const [name, report] of Object.entries(reports)) {
  const state = {};
  for (const tool of report.of ? loaded(report.of) : report) {
    const [imageId, kind, one] = drawn(tool);
    state[imageId] ??= {};
    state[imageId][kind] ??= { data: [] };
    state[imageId][kind].data.push(one);
  }
  const made = MeasurementReport.generateReport(state, metaData, {});
  writeFileSync(`${folder}/${name}.dcm`, Buffer.from(datasetToDict(made.dataset).write()));
  process.stdout.write(`\nSAVED ${name}\n`);
}
process.exit(0);
