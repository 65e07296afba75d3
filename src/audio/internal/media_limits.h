#pragma once

// What FFmpeg's libraries are allowed to be for us: these containers and codecs, and no others.
// Playlists (hls, concat, dash), devices, subtitles and pictures are left out on purpose: the first
// name further inputs, the others are surface without sound.

namespace lethe::audio_internal {

inline constexpr const char* kAllowedContainers =
    "aac,ac3,aiff,amr,amrnb,amrwb,asf,au,avi,caf,eac3,flac,flv,gsm,matroska,webm,mov,mp4,m4a,3gp,"
    "mp3,mpeg,mpegts,nistsphere,ogg,w64,wav";

// Decoders by the names FFmpeg has for its own and for the libraries it may be built with.
inline constexpr const char* kAllowedCodecs =
    "aac,aac_latm,ac3,adpcm_g722,adpcm_g726,adpcm_g726le,adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,"
    "adpcm_swf,adpcm_yamaha,alac,amrnb,amrwb,eac3,flac,g722,g723_1,g726,g726le,g729,gsm,gsm_ms,"
    "libgsm,libgsm_ms,libopencore_amrnb,libopencore_amrwb,libopus,libspeex,libvorbis,mp1,mp1float,"
    "mp2,mp2float,mp3,mp3float,nellymoser,opus,pcm_alaw,pcm_f32be,pcm_f32le,pcm_f64be,pcm_f64le,"
    "pcm_bluray,pcm_dvd,pcm_mulaw,pcm_s16be,pcm_s16le,pcm_s24be,pcm_s24le,pcm_s32be,pcm_s32le,"
    "pcm_s64be,pcm_s64le,pcm_s8,pcm_u16be,pcm_u16le,pcm_u24be,pcm_u24le,pcm_u32be,pcm_u32le,"
    "pcm_u8,speex,truespeech,vorbis,wmalossless,wmapro,wmav1,wmav2,wmavoice";

}  // namespace lethe::audio_internal
